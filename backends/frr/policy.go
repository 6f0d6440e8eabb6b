package frr

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/bgp"
)

// group is the routes of a neighbor with the same attributes, in one family.
type group struct {
	localPref   uint32
	communities []bgp.Community
	family      ir.Family
	prefixes    []netip.Prefix
}

// key is what the routes have in common.
func (g *group) key() string { return fmt.Sprint(g.family, g.localPref, g.communities) }

// groups divides the routes of a neighbor, sorted by key.
func groups(n *bgp.Neighbor) []*group {
	by := make(map[string]*group)
	for _, r := range n.Routes {
		g := &group{localPref: r.LocalPref, communities: r.Communities, family: ir.FamilyOf(r.Prefix.Addr())}
		if have := by[g.key()]; have != nil {
			g = have
		} else {
			by[g.key()] = g
		}
		g.prefixes = append(g.prefixes, r.Prefix)
	}
	out := make([]*group, 0, len(by))
	for _, key := range slices.Sorted(maps.Keys(by)) {
		out = append(out, by[key])
	}
	return out
}

// policy writes the prefix lists and the route map of what a neighbor is told.
func (w *writer) policy(r *bgp.Router, n *bgp.Neighbor) {
	all, name := groups(n), mapName(r, n)
	lists := make([]string, len(all))
	for i, g := range all {
		lists[i] = fmt.Sprintf("%s-%08x", name, hash(g.key()))
		for _, p := range placed(g.prefixes, netip.Prefix.String, 1<<32-1) {
			w.line(0, "%s prefix-list %s seq %d permit %s", word4or6(g.family), lists[i], p.place, p.of)
		}
	}
	at := make(map[*group]string, len(all))
	for i, g := range all {
		at[g] = lists[i]
	}
	for _, p := range placed(all, (*group).key, lastEntry-1) {
		w.line(0, "route-map %s permit %d", name, p.place)
		w.line(1, "match %s address prefix-list %s", word4or6(p.of.family), at[p.of])
		w.set(p.of)
		w.line(0, "exit")
	}
	w.line(0, "route-map %s deny %d", name, lastEntry)
	w.line(0, "exit")
}

// lastEntry is the last place in a route map.
const lastEntry = 65535

// set writes the attributes of a group.
func (w *writer) set(g *group) {
	var standard, large []string
	for _, c := range g.communities {
		if c.Large {
			large = append(large, c.String())
		} else {
			standard = append(standard, communityName(c))
		}
	}
	if len(standard) > 0 {
		w.line(1, "set community %s", strings.Join(standard, " "))
	}
	if len(large) > 0 {
		w.line(1, "set large-community %s", strings.Join(large, " "))
	}
	if g.localPref > 0 {
		w.line(1, "set local-preference %d", g.localPref)
	}
}

// communityName is a community as FRR writes it: those that it knows by name have the name
// (bgpd/bgp_community.c), so that its reload finds no difference.
func communityName(c bgp.Community) string {
	const wellKnown = 0xffff
	names := map[uint32]string{
		0: "graceful-shutdown", 1: "accept-own", 2: "route-filter-translated-v4", 3: "route-filter-v4", 4: "route-filter-translated-v6",
		5: "route-filter-v6", 6: "llgr-stale", 7: "no-llgr", 8: "accept-own-nexthop", 666: "blackhole",
		65281: "no-export", 65282: "no-advertise", 65283: "local-AS", 65284: "no-peer",
	}
	if name := names[c.Parts[1]]; c.Parts[0] == wellKnown && name != "" {
		return name
	}
	return c.String()
}

func word4or6(f ir.Family) string {
	if f == ir.IPv6 {
		return "ipv6"
	}
	return "ip"
}

// place is a thing and its number.
type place[T any] struct {
	of    T
	place uint32
}

// placed gives each of a sorted list a number from 1 to most that depends on its text and, where
// two want the same one, on the others that do. They are returned by number.
func placed[T any](list []T, text func(T) string, most uint32) []place[T] {
	used := make(map[uint32]bool, len(list))
	out := make([]place[T], 0, len(list))
	for _, x := range list {
		n := hash(text(x))%most + 1
		for used[n] {
			n = n%most + 1
		}
		used[n] = true
		out = append(out, place[T]{x, n})
	}
	slices.SortFunc(out, func(a, b place[T]) int { return cmp.Compare(a.place, b.place) })
	return out
}

func hash(text string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(text))
	return h.Sum32()
}

// announced is a network of a router, and why.
type announced struct {
	prefix  netip.Prefix
	reasons []bgp.Reason
}

// networks are those that any of the neighbors is told, sorted.
func networks(list []*bgp.Neighbor, f ir.Family) []announced {
	by := make(map[netip.Prefix][]bgp.Reason)
	for _, n := range list {
		for _, r := range n.Routes {
			if ir.FamilyOf(r.Prefix.Addr()) == f {
				by[r.Prefix] = append(by[r.Prefix], r.Reasons...)
			}
		}
	}
	out := make([]announced, 0, len(by))
	for p, reasons := range by {
		out = append(out, announced{p, reasons})
	}
	slices.SortFunc(out, func(a, b announced) int {
		return cmp.Or(a.prefix.Addr().Compare(b.prefix.Addr()), cmp.Compare(a.prefix.Bits(), b.prefix.Bits()))
	})
	return out
}

// has reports whether a neighbor takes routes of a family.
func has(n *bgp.Neighbor, f ir.Family) bool { return slices.Contains(n.Families, f) }
