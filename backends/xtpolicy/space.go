package xtpolicy

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// space is the address space of one family, cut into pieces of one class each.
// Pieces are nested or disjoint.
type space struct {
	// classes has the IDs of classes; pieces refer to them by index. The first is
	// class 0.
	classes []uint32
	nets    []piece
	hosts   []piece
}

// piece is a network or a host.
type piece struct {
	prefix netip.Prefix
	class  int
	// within is the index of the smallest piece that contains this one, or -1.
	within int
}

func newSpace(f ir.Family, p *resolve.Policy) *space {
	s := &space{classes: []uint32{0}}
	index := map[uint32]int{0: 0}
	for _, c := range p.Classes {
		index[c.ID] = len(s.classes)
		s.classes = append(s.classes, c.ID)
	}
	isHost := func(a netip.Addr) bool {
		_, found := slices.BinarySearchFunc(p.Hosts, a, func(h resolve.Host, a netip.Addr) int { return h.Address.Compare(a) })
		return found
	}
	for _, n := range halved(p.Networks) {
		// Skip a network of one address that is also a host: its class is never
		// used, and a set cannot hold both, because they are the same element.
		if n.Prefix.IsSingleIP() && isHost(n.Prefix.Addr()) {
			continue
		}
		if ir.FamilyOf(n.Prefix.Addr()) == f {
			s.nets = append(s.nets, piece{prefix: n.Prefix, class: index[n.Class], within: -1})
		}
	}
	for _, h := range p.Hosts {
		if ir.FamilyOf(h.Address) == f {
			s.hosts = append(s.hosts, piece{prefix: netip.PrefixFrom(h.Address, h.Address.BitLen()), class: index[h.Class], within: -1})
		}
	}
	s.nest()
	return s
}

// halved splits networks of length 0, which ipset does not accept, into two halves.
func halved(list []resolve.Network) []resolve.Network {
	have := make(map[netip.Prefix]bool, len(list))
	for _, n := range list {
		have[n.Prefix] = true
	}
	var out []resolve.Network
	for _, n := range list {
		if n.Prefix.Bits() > 0 {
			out = append(out, n)
			continue
		}
		upper := n.Prefix.Addr().AsSlice()
		upper[0] = 0x80
		high, _ := netip.AddrFromSlice(upper)
		for _, a := range []netip.Addr{n.Prefix.Addr(), high} {
			if half := netip.PrefixFrom(a, 1); !have[half] {
				out = append(out, resolve.Network{Prefix: half, Class: n.Class})
			}
		}
	}
	slices.SortFunc(out, func(a, b resolve.Network) int { return ir.ComparePrefix(a.Prefix, b.Prefix) })
	return out
}

// nest finds the surrounding piece of each piece; the pieces are sorted.
func (s *space) nest() {
	for i := range s.nets {
		p := i - 1
		for p >= 0 && !s.nets[p].prefix.Contains(s.nets[i].prefix.Addr()) {
			p = s.nets[p].within
		}
		s.nets[i].within = p
	}
	around, next := -1, 0
	for i := range s.hosts {
		a := s.hosts[i].prefix.Addr()
		for ; next < len(s.nets) && s.nets[next].prefix.Addr().Compare(a) <= 0; next++ {
			around = next
		}
		for around >= 0 && !s.nets[around].prefix.Contains(a) {
			around = s.nets[around].within
		}
		s.hosts[i].within = around
	}
}
