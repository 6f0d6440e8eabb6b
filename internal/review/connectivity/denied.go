package connectivity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/ir"
)

// Denied is what policies deny of a pair that was asked for by name.
type Denied struct {
	From, To string            // the ends in words
	Ports    clusterwide.Ports // what is denied
	Causes   []Cause           // what denies it
	// Family is the one that this is about if policies treat the other one in another
	// way; otherwise 0.
	Family ir.Family
}

// Denied returns what is denied of the pairs that a filter names on both sides.
func (m *Map) Denied(f Filter) []Denied {
	if len(f.From) == 0 || len(f.To) == 0 {
		return nil
	}
	from, errFrom := m.sides("", f.From)
	to, errTo := m.sides("", f.To)
	if errFrom != nil || errTo != nil {
		return nil // [Map.Select] says so
	}
	var out []Denied
	for _, s := range m.groups(from) {
		for _, d := range m.groups(to) {
			if s.sameAs(d) || len(s.Ends) == 0 && len(d.Ends) == 0 {
				continue
			}
			if x := m.denied(s, d); !x.Ports.Empty() {
				out = append(out, x)
			}
		}
	}
	return out
}

// groups returns the ends of a side, and its networks as policies tell them apart.
func (m *Map) groups(s *side) []Group {
	var out []Group
	for i, e := range m.Ends {
		if s.ends[e] {
			out = append(out, Group{Ends: m.Ends[i : i+1]})
		}
	}
	for _, n := range m.outside {
		if nets := clusterwide.Fold(clusterwide.Overlap(n.pieces, s.networks)); len(nets) > 0 {
			out = append(out, Group{Networks: nets, pieces: []*network{n}})
		}
	}
	return out
}

func (m *Map) denied(from, to Group) Denied {
	out := Denied{From: m.words(from), To: m.words(to)}
	for _, c := range m.Why(from, to) {
		if !c.Accept {
			out.Ports = out.Ports.Union(c.Ports)
			out.Causes = append(out.Causes, c)
		}
	}
	if len(from.Ends) > 0 && len(to.Ends) > 0 {
		out.Family, _, _ = m.otherFamily(&from.Ends[0].at, &to.Ends[0].at)
	}
	return out
}

// String says it: "shop/web cannot reach shop/db on any port", or where a part is let
// through "shop/web reaches shop/db on 5432/tcp only".
func (d *Denied) String() string {
	over := ""
	if d.Family != 0 {
		over = " over " + FamilyWord(d.Family)
	}
	rest := clusterwide.EveryPort().Minus(d.Ports)
	switch {
	case rest.Empty():
		return fmt.Sprintf("%s cannot reach %s on any port%s", d.From, d.To, over)
	case len(rest.List()) <= len(d.Ports.List()) || strings.HasPrefix(d.Ports.String(), clusterwide.WordEveryPort):
		return fmt.Sprintf("%s reaches %s on %v only%s", d.From, d.To, rest, over)
	}
	return fmt.Sprintf("%s cannot reach %s on %v%s", d.From, d.To, d.Ports, over)
}

// FamilyWord is "IPv4" or "IPv6".
func FamilyWord(f ir.Family) string {
	if f == ir.IPv4 {
		return "IPv4"
	}
	return "IPv6"
}

// words names a group.
func (m *Map) words(g Group) string {
	if len(g.Ends) == 0 {
		return m.NetworkWords(g.Networks)
	}
	var names []string
	for _, e := range g.Ends {
		names = append(names, e.Label())
	}
	return clusterwide.Join(names, "and")
}

// wants reports whether a filter is about a workload.
func (f *Filter) wants(namespace, name string) bool {
	words := slices.Concat(f.Focus, f.From, f.To)
	if len(words) == 0 && len(f.Namespaces) == 0 {
		return true
	}
	return slices.Contains(words, namespace+"/"+name) || slices.Contains(f.Namespaces, namespace)
}
