package connectivity

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// connect finds all edges, of classes and not of pods.
func (m *Map) connect() {
	for i, from := range m.classes {
		for j, to := range m.classes {
			if i == j && len(from) == 1 && len(from[0].Pods) == 1 {
				continue // packets of a pod to itself do not leave it
			}
			if ports := m.between(&from[0].at, &to[0].at); !ports.Empty() {
				m.Edges = append(m.Edges, &Edge{From: Group{Ends: from}, To: Group{Ends: to}, Ports: ports})
			}
			if listed, other, ports := m.otherFamily(&from[0].at, &to[0].at); ports != nil {
				m.Families = append(m.Families, &FamilyEdge{Edge{From: Group{Ends: from}, To: Group{Ends: to}, Ports: ports}, other, listed})
			}
		}
		m.connectOutside(from)
	}
	slices.SortFunc(m.Edges, (*Edge).compare)
	slices.SortFunc(m.Families, func(a, b *FamilyEdge) int { return a.compare(&b.Edge) })
}

func (e *Edge) compare(o *Edge) int {
	return cmp.Or(e.From.compare(&o.From), e.To.compare(&o.To), cmp.Compare(e.Ports.String(), o.Ports.String()))
}

// connectOutside finds the edges of a class from and to networks: one for each set of
// ports.
func (m *Map) connectOutside(class []*End) {
	for _, out := range []bool{false, true} {
		groups, order := make(map[*clusterwide.Ports]*Group), []*clusterwide.Ports(nil)
		for _, n := range m.outside {
			ends := [2]*clusterwide.Ends{&n.at, &class[0].at}
			if out {
				ends[0], ends[1] = ends[1], ends[0]
			}
			ports := m.between(ends[0], ends[1])
			if ports.Empty() {
				continue
			}
			g := groups[ports]
			if g == nil {
				g = &Group{}
				groups[ports] = g
				order = append(order, ports)
			}
			g.pieces = append(g.pieces, n)
		}
		for _, ports := range order {
			g := groups[ports]
			var all []netip.Prefix
			for _, n := range g.pieces {
				all = append(all, n.pieces...)
			}
			g.Networks = clusterwide.Fold(all)
			e := &Edge{From: *g, To: Group{Ends: class}, Ports: ports}
			if out {
				e.From, e.To = e.To, e.From
			}
			m.Edges = append(m.Edges, e)
		}
	}
}

// between returns the packets that both directions admit, over the source's primary family
// if both ends have it.
func (m *Map) between(from, to *clusterwide.Ends) *clusterwide.Ports {
	src, dst, ok := netpath.Common(from.Addresses, to.Addresses, from.Primary)
	if !ok {
		return m.policies.Nothing
	}
	return m.admitted(src, dst)
}

// compare orders groups: ends by the first of them, and networks after all ends.
func (g *Group) compare(o *Group) int {
	switch {
	case len(g.Ends) > 0 && len(o.Ends) > 0:
		return compareEnds(g.Ends[0], o.Ends[0])
	case len(g.Ends) > 0:
		return -1
	case len(o.Ends) > 0:
		return 1
	}
	return slices.CompareFunc(g.Networks, o.Networks, ir.ComparePrefix)
}
