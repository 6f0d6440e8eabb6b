package nftables

import "github.com/planec/planec/ir"

// family holds nft's words for one address family.
type family struct {
	ir ir.Family
	// ip is the table family and the header in expressions such as "ip daddr".
	ip string
	// addr is the type of an address in a set.
	addr string
	// longest is the greatest length of an address as text.
	longest int
	// icmp is the family's ICMP.
	icmp string
	// loopback is the range whose addresses never serve nodePorts.
	loopback string
	// client is the key of an affinity binding while meta mark holds the
	// Service's ID; the statement foldClient must run first.
	client, foldClient string
}

func familyOf(f ir.Family) family {
	if f == ir.IPv4 {
		return family{ir: f, ip: "ip", addr: "ipv4_addr", longest: len("255.255.255.255"), icmp: "icmp", loopback: "127.0.0.0/8", client: "ip saddr . meta mark"}
	}
	return family{
		ir: f, ip: "ip6", addr: "ipv6_addr", longest: 8*len("ffff:") - 1, icmp: "ipv6-icmp", loopback: "::1", client: "meta mark",
		// nft 1.0.6 aborts on an update of a map with a key longer than 16 bytes
		// (netlink_gen_map_stmt reserves one register), so the mark takes a hash of
		// client and Service. The seed is "plan" in ASCII.
		foldClient: " meta mark set jhash ip6 saddr . meta mark mod 4294967295 seed 0x706c616e",
	}
}
