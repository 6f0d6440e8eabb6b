package compare

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// maxRanges is the number of policy networks in which pods are examined.
const maxRanges = 32

// allotment holds addresses for stand-ins: in each network of policies where pods
// may have addresses.
type allotment struct {
	taken map[netip.Addr]bool
	// ranges are the networks of IPv4 and of IPv6.
	ranges [2][]*addressRange
	// nodes are the ranges of node addresses, of each family.
	nodes  []*addressRange
	bounds []string
}

// places is the number of address ranges in which a stand-in must be examined.
func (a *allotment) places() int { return max(len(a.ranges[0]), len(a.ranges[1])) }

// addresses returns a stand-in's addresses, one of each family, in the given place.
func (a *allotment) addresses(place int) (out []netip.Addr, network netip.Prefix) {
	for _, list := range a.ranges {
		if len(list) == 0 {
			continue
		}
		r := list[min(place, len(list)-1)]
		addr, ok := r.next(a.taken)
		if !ok {
			continue
		}
		if out = append(out, addr); len(out) == 1 {
			network = r.network
		}
	}
	return out, network
}

type addressRange struct {
	// network is the innermost policy network.
	network netip.Prefix
	pieces  []netip.Prefix
	at      netip.Addr
	short   bool
}

func newAllotment(before, after *State, networks []netip.Prefix) *allotment {
	a := &allotment{taken: make(map[netip.Addr]bool)}
	var pods []netip.Addr
	for _, s := range []*State{before, after} {
		for _, p := range s.Objects.Pods {
			for _, ip := range netpath.PodAddresses(p.Object) {
				a.taken[ip] = true
				pods = append(pods, ip)
			}
		}
		for _, n := range s.Objects.Nodes {
			for _, ip := range objects.NodeIPs(n.Object, nil) {
				a.taken[ip] = true
			}
		}
	}
	where := podRanges(pods, before, after)
	for _, c := range clusterwide.Cuts(append(slices.Clone(networks), whole(where)...)...) {
		if c.Prefix.Bits() == 0 {
			a.nodes = append(a.nodes, &addressRange{network: c.Prefix, pieces: c.Pieces})
		}
		r := &addressRange{network: c.Prefix, pieces: clusterwide.Overlap(c.Pieces, where)}
		if len(r.pieces) == 0 {
			continue
		}
		list := &a.ranges[0]
		if !c.Prefix.Addr().Is4() {
			list = &a.ranges[1]
		}
		if len(*list) == maxRanges {
			a.bounds = append(a.bounds, fmt.Sprintf("the policies name more than %d networks that pods may be in", maxRanges))
			break
		}
		*list = append(*list, r)
	}
	return a
}

// whole returns all addresses of the families that pods have.
func whole(where []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	if len(ir.PrefixesOf(ir.IPv4, where)) > 0 {
		out = append(out, netip.MustParsePrefix("0.0.0.0/0"))
	}
	if len(ir.PrefixesOf(ir.IPv6, where)) > 0 {
		out = append(out, netip.MustParsePrefix("::/0"))
	}
	return out
}

// podRanges returns where the pods of the states have their addresses.
func podRanges(pods []netip.Addr, states ...*State) []netip.Prefix {
	var known []netip.Prefix
	for _, s := range states {
		known = append(known, clusterwide.PodCIDRs(s.Objects, s.Cluster)...)
	}
	return clusterwide.PodRanges(pods, known)
}

// next returns the next unused address.
func (r *addressRange) next(taken map[netip.Addr]bool) (netip.Addr, bool) {
	for len(r.pieces) > 0 {
		if !r.at.IsValid() {
			r.at = r.pieces[0].Addr()
		} else {
			r.at = r.at.Next()
		}
		if !r.at.IsValid() || !r.pieces[0].Contains(r.at) {
			r.pieces, r.at = r.pieces[1:], netip.Addr{}
			continue
		}
		if !taken[r.at] && !r.at.IsUnspecified() && !r.at.IsMulticast() && !r.at.IsLoopback() {
			taken[r.at] = true
			return r.at, true
		}
	}
	r.short = true
	return netip.Addr{}, false
}
