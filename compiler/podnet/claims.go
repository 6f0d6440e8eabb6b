package podnet

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/podnet"
)

// claims are the ranges and addresses that nodes have already. A look costs one step for
// each length that ranges have, whatever the number of claims: one of a family in most
// clusters, and 33 and 129 at most.
type claims struct {
	// lengths are those of all ranges of a family, the longest first.
	lengths map[ir.Family][]int
	ranges  map[netip.Prefix]string
	// within has every range that contains a claimed one, with one of those that claim.
	within    map[netip.Prefix]string
	addresses map[netip.Addr]string
	// inside has an address for every range of a node that contains one.
	inside map[netip.Prefix]netip.Addr
	macs   map[podnet.MAC]string
}

func newClaims(own *node, others []*node) *claims {
	return &claims{
		lengths: lengthsOf(own, others),
		ranges:  make(map[netip.Prefix]string), within: make(map[netip.Prefix]string),
		addresses: make(map[netip.Addr]string), inside: make(map[netip.Prefix]netip.Addr), macs: make(map[podnet.MAC]string),
	}
}

// overlaps returns the node with a range that overlaps, or "".
func (c *claims) overlaps(p netip.Prefix) string {
	if by, taken := c.within[p]; taken {
		return by
	}
	for _, bits := range c.lengths[ir.FamilyOf(p.Addr())] {
		if bits > p.Bits() {
			continue
		}
		if by, taken := c.ranges[netip.PrefixFrom(p.Addr(), bits).Masked()]; taken {
			return by
		}
	}
	return ""
}

// has returns the node whose range contains an address, or "".
func (c *claims) has(a netip.Addr) string {
	for _, bits := range c.lengths[ir.FamilyOf(a)] {
		if by, taken := c.ranges[netip.PrefixFrom(a, bits).Masked()]; taken {
			return by
		}
	}
	return ""
}

// address claims an address.
func (c *claims) address(a netip.Addr, node string) {
	c.addresses[a] = node
	for _, bits := range c.lengths[ir.FamilyOf(a)] {
		if around := netip.PrefixFrom(a, bits).Masked(); !c.inside[around].IsValid() {
			c.inside[around] = a
		}
	}
}

// take claims a range.
func (c *claims) take(p netip.Prefix, node string) {
	c.ranges[p] = node
	for _, bits := range c.lengths[ir.FamilyOf(p.Addr())] {
		if bits > p.Bits() {
			continue
		}
		wider := netip.PrefixFrom(p.Addr(), bits).Masked()
		if _, known := c.within[wider]; known {
			return // and so are all that are wider
		}
		c.within[wider] = node
	}
}

func lengthsOf(own *node, others []*node) map[ir.Family][]int {
	out := make(map[ir.Family][]int)
	for _, n := range append([]*node{own}, others...) {
		for f, p := range n.cidrs {
			if !slices.Contains(out[f], p.Bits()) {
				out[f] = append(out[f], p.Bits())
			}
		}
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b int) int { return b - a })
	}
	return out
}
