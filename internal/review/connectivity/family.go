package connectivity

import (
	"net/netip"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// FamilyEdge is what policies let through over the family that [Map.Edges] are not about,
// where both ends have two families and policies tell these apart.
type FamilyEdge struct {
	Edge                     // its ports may be empty
	Family, Listed ir.Family // of this edge, and of the pair in Map.Edges
}

// otherFamily returns the packets over the family that between does not ask about, if both
// ends have it and policies treat it in another way.
func (m *Map) otherFamily(from, to *clusterwide.Ends) (listed, other ir.Family, ports *clusterwide.Ports) {
	src, dst, ok := netpath.Common(from.Addresses, to.Addresses, from.Primary)
	if !ok {
		return 0, 0, nil
	}
	listed = ir.FamilyOf(src)
	other = ir.IPv4 + ir.IPv6 - listed
	otherSrc, okSrc := from.Addresses[other]
	otherDst, okDst := to.Addresses[other]
	if !okSrc || !okDst {
		return 0, 0, nil
	}
	ports = m.admitted(otherSrc, otherDst)
	if ports == m.admitted(src, dst) {
		return 0, 0, nil
	}
	return listed, other, ports
}

// FamilyPairs calls yield for every pair of ends that [Map.Families] are about, as
// [Map.Pairs] does.
func (m *Map) FamilyPairs(yield func(from, to Group, e *FamilyEdge)) {
	for _, e := range m.Families {
		for _, from := range e.From.single() {
			for _, to := range e.To.single() {
				if !from.sameAs(to) {
					yield(from, to, e)
				}
			}
		}
	}
}

// narrowFamilies returns the edges of other families that a filter of edges keeps.
func narrowFamilies(list []*FamilyEdge, keep func([]*Edge) []*Edge) []*FamilyEdge {
	var out []*FamilyEdge
	for _, x := range list {
		for _, e := range keep([]*Edge{&x.Edge}) {
			out = append(out, &FamilyEdge{*e, x.Family, x.Listed})
		}
	}
	return out
}

// admitted returns the packets from one address to another that both directions admit.
func (m *Map) admitted(src, dst netip.Addr) *clusterwide.Ports {
	egress, ingress := m.policies.Allowed(ir.Egress, src, dst), m.policies.Allowed(ir.Ingress, dst, src)
	return m.boths.Of(m.sets, m.policies.Everything, egress, ingress)
}
