package podnet

import (
	"net/netip"

	"github.com/planec/planec/ir/podnet"
)

// claims are the ranges and addresses that nodes have already. A look costs one step for
// each bit of an address, whatever the number of claims.
type claims struct {
	ranges map[netip.Prefix]string
	// within has every range that contains a claimed one, with one of those that claim.
	within    map[netip.Prefix]string
	addresses map[netip.Addr]string
	macs      map[podnet.MAC]string
}

func newClaims() *claims {
	return &claims{
		ranges: make(map[netip.Prefix]string), within: make(map[netip.Prefix]string),
		addresses: make(map[netip.Addr]string), macs: make(map[podnet.MAC]string),
	}
}

// overlaps returns the node with a range that overlaps, or "".
func (c *claims) overlaps(p netip.Prefix) string {
	if by, taken := c.within[p]; taken {
		return by
	}
	for bits := p.Bits(); bits >= 0; bits-- {
		if by, taken := c.ranges[netip.PrefixFrom(p.Addr(), bits).Masked()]; taken {
			return by
		}
	}
	return ""
}

// take claims a range.
func (c *claims) take(p netip.Prefix, node string) {
	c.ranges[p] = node
	for bits := p.Bits(); bits >= 0; bits-- {
		wider := netip.PrefixFrom(p.Addr(), bits).Masked()
		if _, known := c.within[wider]; known {
			return // and so are all that are wider
		}
		c.within[wider] = node
	}
}
