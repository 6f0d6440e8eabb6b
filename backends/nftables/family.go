package nftables

import "github.com/planec/planec/ir"

// family holds nft's words for one address family.
type family struct {
	ir ir.Family
	// ip is the table family, and the header in expressions such as "ip daddr".
	ip string
	// addr is the type of an address in a set.
	addr string
	// loopback is never a nodePort address.
	loopback string
	// maxBits is the length of a host's prefix.
	maxBits int
}

func familyOf(f ir.Family) family {
	if f == ir.IPv4 {
		return family{ir: f, ip: "ip", addr: "ipv4_addr", loopback: "127.0.0.0/8", maxBits: 32}
	}
	return family{ir: f, ip: "ip6", addr: "ipv6_addr", loopback: "::1", maxBits: 128}
}
