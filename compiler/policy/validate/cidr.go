package validate

import (
	"net/netip"

	netutils "k8s.io/utils/net"
)

// mappedBits is the prefix length of IPv4-mapped addresses (RFC 4291,
// section 2.5.5.2).
const mappedBits = 96

// ParseCIDR parses a CIDR of a policy, and reports whether it is one. It accepts
// every CIDR that passes validation, like Kubernetes (KEP-4858): leading zeros
// have no meaning, host bits are cleared, and an IPv4-mapped range is IPv4.
func ParseCIDR(s string) (netip.Prefix, bool) {
	_, block, err := netutils.ParseCIDRSloppy(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	bits, _ := block.Mask.Size()
	addr, ok := netip.AddrFromSlice(block.IP)
	if !ok {
		return netip.Prefix{}, false
	}
	if addr.Is4In6() && bits >= mappedBits {
		addr, bits = addr.Unmap(), bits-mappedBits
	}
	return netip.PrefixFrom(addr, bits), true
}
