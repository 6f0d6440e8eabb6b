package podnet

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
)

// MAC is the hardware address of a device.
type MAC [6]byte

// MACOf derives the address of a node's device from the names of both, so that each node
// knows those of all others. Bits 1 and 0 of the first byte say that it is locally
// administered and of one station (IEEE 802, section 8.4).
func MACOf(node, device string) (m MAC) {
	sum := sha256.Sum256([]byte("planec pod network\x00" + device + "\x00" + node))
	copy(m[:], sum[:])
	m[0] = m[0]&^1 | 2
	return m
}

// LinkLocal returns the IPv6 address that a device with the MAC address gives itself
// (RFC 4291, appendix A). The gateway of an IPv6 route must not be in another route, which
// an address of the podCIDR is while the route leads elsewhere (ip6_route_check_nh_onlink).
func (m MAC) LinkLocal() netip.Addr {
	return netip.AddrFrom16([16]byte{0xfe, 0x80, 8: m[0] ^ 2, 9: m[1], 10: m[2], 11: 0xff, 12: 0xfe, 13: m[3], 14: m[4], 15: m[5]})
}

// ParseMAC reads an address as String writes it.
func ParseMAC(s string) (m MAC, err error) {
	b, err := hex.DecodeString(strings.ReplaceAll(s, ":", ""))
	if err == nil && len(b) == len(m) {
		copy(m[:], b)
	}
	if m.String() != s {
		return MAC{}, fmt.Errorf("%.40q is no MAC address", s)
	}
	return m, nil
}

// String returns the address as in "02:00:5e:00:53:01".
func (m MAC) String() string {
	parts := make([]string, len(m))
	for i, b := range m {
		parts[i] = hex.EncodeToString([]byte{b})
	}
	return strings.Join(parts, ":")
}
