package nft

import "strconv"

// Family is an address family as netfilter numbers it.
type Family uint8

// The families that planec has tables in.
const (
	IPv4 Family = 2
	IPv6 Family = 10
)

// String is nft's word for the family.
func (f Family) String() string {
	if f == IPv4 {
		return "ip"
	}
	return "ip6"
}

// addr is the kind of the family's addresses.
func (f Family) addr() Kind {
	if f == IPv4 {
		return Addr4
	}
	return Addr6
}

// Protocol is the number of a protocol in IP headers.
type Protocol uint8

// The protocols that have ports, and the two of errors.
const (
	ICMP   Protocol = 1
	ICMPv6 Protocol = 58
	TCP    Protocol = 6
	UDP    Protocol = 17
	SCTP   Protocol = 132
)

// String is nft's word for a protocol with ports, and the number of any other.
func (p Protocol) String() string {
	switch p {
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case SCTP:
		return "sctp"
	}
	return strconv.Itoa(int(p))
}
