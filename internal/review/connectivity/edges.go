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
		}
		m.connectOutside(from)
	}
	slices.SortFunc(m.Edges, func(a, b *Edge) int {
		return cmp.Or(a.From.compare(&b.From), a.To.compare(&b.To), cmp.Compare(a.Ports.String(), b.Ports.String()))
	})
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

// between returns the packets that both directions admit.
func (m *Map) between(from, to *clusterwide.Ends) *clusterwide.Ports {
	src, dst, ok := netpath.Common(from.Addresses, to.Addresses, from.Primary)
	if !ok {
		return m.policies.Nothing
	}
	egress, ingress := m.policies.Allowed(ir.Egress, src, dst), m.policies.Allowed(ir.Ingress, dst, src)
	switch {
	case egress == m.policies.Everything || egress == ingress:
		return ingress
	case ingress == m.policies.Everything:
		return egress
	}
	key := [2]*clusterwide.Ports{egress, ingress}
	out := m.boths[key]
	if out == nil {
		out = m.sets.Get(egress.Intersect(*ingress))
		m.boths[key] = out
	}
	return out
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
