package connectivity

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/internal/review/clusterwide"
)

// Filter says which edges are wanted; the zero value wants all. Its words name a workload
// or one of its pods as "namespace/name" or by its address, or addresses outside: a network, an address, or
// "outside". A controller of entries is "ingress-controller" or "gateway namespace/name".
type Filter struct {
	Focus      []string // either end
	From, To   []string
	Namespaces []string // either end is in one of these
}

// Select returns the map with the wanted edges and entries only. It shares everything
// else with m. Words that name nothing are an error.
func (m *Map) Select(f Filter) (*Map, error) {
	out := *m
	out.Filtered = m.Filtered || len(f.Focus)+len(f.From)+len(f.To)+len(f.Namespaces) > 0
	from, err := m.sides("--from", f.From)
	if err != nil {
		return nil, err
	}
	to, err := m.sides("--to", f.To)
	if err != nil {
		return nil, err
	}
	focus, err := m.sides("--focus", f.Focus)
	if err != nil {
		return nil, err
	}
	inside, err := m.inNamespaces(f.Namespaces)
	if err != nil {
		return nil, err
	}
	for _, s := range []*side{from, to, focus} {
		if s != nil {
			out.Bounds = append(slices.Clip(out.Bounds), s.bounds...)
		}
	}
	for _, keep := range []func([]*Edge) []*Edge{
		func(list []*Edge) []*Edge { return from.narrow(list, true, false) },
		func(list []*Edge) []*Edge { return to.narrow(list, false, true) },
		func(list []*Edge) []*Edge { return focus.narrow(list, true, true) },
		func(list []*Edge) []*Edge { return inside.narrow(list, true, true) },
	} {
		out.Edges, out.Families = keep(out.Edges), narrowFamilies(out.Families, keep)
	}
	out.Entries = slices.DeleteFunc(slices.Clone(m.Entries), func(e *Entry) bool {
		return !from.names(e.Via) || !to.has(e.To) || !focus.has(e.To) && !focus.names(e.Via) || !inside.has(e.To)
	})
	out.Nowhere = keepNowhere(m.Nowhere, from, to, focus, f.Namespaces)
	return &out, nil
}

// side is one side that is wanted; nil is every one.
type side struct {
	ends     map[*End]bool
	networks []netip.Prefix
	vias     map[string]bool
	bounds   []string // what the words are not about
}

func (m *Map) sides(flag string, words []string) (*side, error) {
	if len(words) == 0 {
		return nil, nil
	}
	s := &side{ends: make(map[*End]bool), vias: make(map[string]bool)}
	for _, w := range words {
		if err := m.side(s, w); err != nil {
			return nil, fmt.Errorf("%s %s: %w", flag, w, err)
		}
	}
	s.networks = clusterwide.Fold(s.networks)
	return s, nil
}

func (m *Map) side(s *side, word string) error {
	if word == Outside {
		s.networks = append(s.networks, m.everywhere()...)
		return nil
	}
	if p, err := netip.ParsePrefix(word); err == nil {
		return m.network(s, p)
	}
	if a, err := netip.ParseAddr(word); err == nil {
		return m.address(s, a)
	}
	if name, ok := strings.CutPrefix(word, "svc/"); ok {
		return m.notAnEnd(name)
	}
	found := false
	var names []string
	for _, e := range m.Entries {
		if names = append(names, e.Via); e.Via == word {
			s.vias[word], found = true, true
		}
	}
	for _, e := range m.Ends {
		names = append(names, e.String())
		if e.String() == word || slices.ContainsFunc(e.Pods, func(p string) bool { return e.Namespace+"/"+p == word }) {
			s.ends[e], found = true, true
		}
	}
	if !found {
		return fmt.Errorf("the input has no such workload or pod%s; want namespace/name, a network, or outside", m.meant(word, names))
	}
	return nil
}

// meant suggests a workload for a word that is none: one of that name in some namespace, or
// one of nearly that name.
func (m *Map) meant(word string, names []string) string {
	if strings.Contains(word, "/") {
		return suggest.DidYouMean(word, names)
	}
	for _, e := range m.Ends {
		for _, p := range e.Pods {
			names = append(names, e.Namespace+"/"+p)
		}
	}
	return suggest.InFull(word, names)
}

// notAnEnd refuses a Service: pods send and receive, which stand behind it.
func (m *Map) notAnEnd(word string) error {
	namespace, name, ok := strings.Cut(word, "/")
	if !ok {
		return fmt.Errorf("want svc/namespace/name%s", suggest.InFull(word, m.services))
	}
	ends, known := m.behind(objects.Name{Namespace: namespace, Name: name})
	var names []string
	for _, e := range ends {
		if !slices.Contains(names, e.String()) {
			names = append(names, e.String())
		}
	}
	switch {
	case !known:
		return fmt.Errorf("the input has no such Service%s; want a workload or a pod as namespace/name, a network, or outside", m.meantService(objects.Name{Namespace: namespace, Name: name}))
	case len(names) == 0:
		return fmt.Errorf("a Service is no end of a connection, and this one has no pod in the input; want a workload as namespace/name")
	}
	return fmt.Errorf("a Service is no end of a connection, but the pods behind it: did you mean %s?", suggest.Or(names))
}

func (m *Map) inNamespaces(names []string) (*side, error) {
	if len(names) == 0 {
		return nil, nil
	}
	s := &side{ends: make(map[*End]bool)}
	var all []string
	for _, e := range m.Ends {
		all = append(all, e.Namespace)
		if slices.Contains(names, e.Namespace) {
			s.ends[e] = true
		}
	}
	for _, n := range names {
		if !slices.Contains(all, n) {
			return nil, fmt.Errorf("--namespace %s: the input has no pod in such a namespace%s", n, suggest.DidYouMean(n, all))
		}
	}
	return s, nil
}

func (s *side) has(e *End) bool       { return s == nil || s.ends[e] }
func (s *side) names(via string) bool { return s == nil || s.vias[via] }

// narrow returns the edges with a wanted source, or a wanted destination, each once.
func (s *side) narrow(list []*Edge, source, destination bool) []*Edge {
	if s == nil {
		return list
	}
	var out []*Edge
	for _, e := range list {
		from, rest := s.split(e.From)
		to, _ := s.split(e.To)
		if source && !from.empty() {
			out = append(out, &Edge{From: from, To: e.To, Ports: e.Ports})
		}
		if !source {
			rest = e.From
		}
		if destination && !to.empty() && !rest.empty() {
			out = append(out, &Edge{From: rest, To: to, Ports: e.Ports})
		}
	}
	return slices.DeleteFunc(out, func(e *Edge) bool {
		return len(e.From.Ends) == 1 && len(e.To.Ends) == 1 && Group{Ends: e.From.Ends}.sameAs(e.To)
	})
}

func (g *Group) empty() bool { return len(g.Ends) == 0 && len(g.Networks) == 0 }

// split splits a group into what is wanted and the rest.
func (s *side) split(g Group) (wanted, rest Group) {
	for _, e := range g.Ends {
		if s.ends[e] {
			wanted.Ends = append(wanted.Ends, e)
		} else {
			rest.Ends = append(rest.Ends, e)
		}
	}
	if len(g.Networks) > 0 {
		wanted.Networks = clusterwide.Fold(clusterwide.Overlap(g.Networks, s.networks))
		rest.Networks = without(g.Networks, wanted.Networks)
		wanted.pieces, rest.pieces = overlapping(g.pieces, wanted.Networks), overlapping(g.pieces, rest.Networks)
	}
	return wanted, rest
}

// overlapping returns the parts that policies tell apart which are in some network.
func overlapping(pieces []*network, networks []netip.Prefix) []*network {
	return slices.DeleteFunc(slices.Clone(pieces), func(n *network) bool {
		return len(clusterwide.Overlap(n.pieces, networks)) == 0
	})
}
