package report

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// index maps words of lines to objects.
type index struct {
	objects []object
	byName  map[objects.Identity]int
	// words maps names, addresses and identities to objects.
	words map[string][]int
	// found are the answers of find; a word that is added empties it.
	found map[string][]int
	// line are the words of the last line that ofLine has seen; the next one has their place.
	line []string
}

// newIndex lists the objects of the sets; of an object in several sets, the first
// counts.
func newIndex(sets ...*Input) *index {
	x := &index{byName: make(map[objects.Identity]int), words: make(map[string][]int), found: make(map[string][]int)}
	for _, set := range sets {
		x.objects = append(x.objects, listed(set)...)
	}
	slices.SortStableFunc(x.objects, func(a, b object) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	x.objects = slices.CompactFunc(x.objects, func(a, b object) bool {
		return a.Kind == b.Kind && a.Namespace == b.Namespace && a.Name == b.Name
	})
	for i := range x.objects {
		x.byName[x.objects[i].identity()] = i
	}
	for _, set := range sets {
		for _, p := range set.Objects.Pods {
			for _, ip := range p.Object.Status.PodIPs {
				x.origin(ip.IP, objects.Origin("Pod", p))
			}
			x.origin(objects.NameOf(p.Object).String(), objects.Origin("Pod", p))
		}
	}
	return x
}

// listed returns the objects of a state that a page lists, with their places.
func listed(in *Input) []object {
	var out []object
	for _, l := range in.Objects.Lists() {
		if k := l.Kind(); k == "ServiceCIDR" || k == "Endpoints" || k == "" {
			continue
		}
		for s := range l.All() {
			out = append(out, object{Kind: l.Kind(), Namespace: s.Object.GetNamespace(), Name: s.Object.GetName(), File: strings.TrimPrefix(s.File, in.Root), Line: s.Line})
		}
	}
	return out
}

func (o *object) identity() objects.Identity {
	return objects.Identity{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
}

// changes marks the objects of a change.
func (x *index) changes(all []Change) {
	for _, c := range all {
		if id, known := x.byName[objects.IdentityAt(c.Origin)]; known {
			x.objects[id].Change = c.Word
		}
	}
}

// origin maps a word to the object of an origin.
func (x *index) origin(word string, o ir.Origin) {
	i, known := x.byName[objects.IdentityAt(o)]
	if known && word != "" {
		x.add(word, i)
	}
}

func (x *index) add(word string, ids ...int) {
	for _, i := range ids {
		if !slices.Contains(x.words[word], i) {
			clear(x.found)
			x.words[word] = append(x.words[word], i)
		}
	}
}

// program adds the words of a node's program.
func (x *index) program(p *ir.Program) {
	owners := make(map[string]ir.Origin)
	for i := range p.Frontends {
		f := &p.Frontends[i]
		owners[f.Internal.Pool], owners[f.External.Pool] = f.Origin.Get(), f.Origin.Get()
		x.origin(f.ID, f.Origin.Get())
		x.origin(f.Service.Namespace+"/"+f.Service.Name, f.Origin.Get())
		x.origin(f.Service.String(), f.Origin.Get())
		if f.Match.Address.IsValid() {
			x.origin(f.Match.Address.String(), f.Origin.Get())
		}
	}
	for i := range p.Pools {
		pool := &p.Pools[i]
		x.origin(pool.ID, pool.Origin.Get())
		for _, e := range pool.Endpoints {
			// An endpoint belongs to its slice and to the Service.
			x.origin(e.Address.Addr().String(), e.Origin())
			x.origin(e.Address.Addr().String(), owners[pool.ID])
		}
	}
	for i := range p.Policy.Profiles {
		x.profile(&p.Policy.Profiles[i])
	}
}

func (x *index) profile(p *ir.Profile) {
	for _, d := range ir.Directions() {
		for _, t := range p.Tiers(d) {
			for _, o := range t.Isolating {
				x.origin(p.ID, o)
			}
			for i := range t.Rules {
				x.origin(p.ID, t.Rules[i].Origin)
				for _, set := range t.Rules[i].Peers {
					x.origin(set, t.Rules[i].Origin)
				}
			}
		}
	}
}

// find returns the objects of a word, which may end in a port, a prefix
// length or a direction.
func (x *index) find(word string) []int {
	if ids := x.words[word]; ids != nil {
		return ids
	}
	if host, _, ok := strings.Cut(word, "/"); ok {
		if _, err := netip.ParseAddr(host); err == nil {
			return x.words[host]
		}
	}
	if at, err := netip.ParseAddrPort(word); err == nil {
		return x.words[at.Addr().String()]
	}
	if at, _, ok := strings.Cut(word, "/"); ok {
		if a, err := netip.ParseAddrPort(at); err == nil {
			return x.words[a.Addr().String()]
		}
	}
	for _, prefix := range []string{"in-", "out-"} {
		if rest, ok := strings.CutPrefix(word, prefix); ok {
			return x.words[rest]
		}
	}
	if name, _, ok := strings.Cut(word, ":"); ok && strings.Contains(name, "/") {
		return x.words[name]
	}
	return nil
}
