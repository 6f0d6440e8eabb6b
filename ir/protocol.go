package ir

import (
	"fmt"
	"strconv"
	"strings"
)

// Protocol is a transport protocol, by its number in the IP header (IANA
// "Assigned Internet Protocol Numbers").
type Protocol uint8

// The protocols of Services (KEP-752 and core/v1 Protocol).
const (
	TCP  Protocol = 6
	UDP  Protocol = 17
	SCTP Protocol = 132
)

// Protocols that policies judge but Services cannot have; policies may also name
// any other number.
const (
	ICMP   Protocol = 1
	ICMPv6 Protocol = 58
)

// Protocols lists the protocols of Services in canonical order.
func Protocols() []Protocol { return []Protocol{TCP, UDP, SCTP} }

// HasPorts reports whether packets of the protocol have ports.
func (p Protocol) HasPorts() bool { return p == TCP || p == UDP || p == SCTP }

// HasTypes reports whether packets of the protocol have a type and a code.
func (p Protocol) HasTypes() bool { return p == ICMP || p == ICMPv6 }

// String returns "tcp", "udp", "sctp", "icmp" or "icmpv6", and for any other
// protocol its number, as "protocol-47".
func (p Protocol) String() string {
	switch p {
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case SCTP:
		return "sctp"
	case ICMP:
		return "icmp"
	case ICMPv6:
		return "icmpv6"
	}
	return fmt.Sprintf("protocol-%d", uint8(p))
}

// ParseAnyProtocol parses the result of String, also for protocols without ports.
func ParseAnyProtocol(s string) (Protocol, error) {
	for _, p := range []Protocol{TCP, UDP, SCTP, ICMP, ICMPv6} {
		if p.String() == s {
			return p, nil
		}
	}
	if number, found := strings.CutPrefix(s, "protocol-"); found {
		n, err := strconv.ParseUint(number, 10, 8)
		if p := Protocol(n); err == nil && p.String() == s {
			return p, nil
		}
	}
	return 0, fmt.Errorf("protocol %q: want tcp, udp, sctp, icmp, icmpv6 or protocol-NUMBER", s)
}

// ParseProtocol parses the name of a protocol with ports, in any case.
func ParseProtocol(s string) (Protocol, error) {
	for _, p := range Protocols() {
		if strings.EqualFold(s, p.String()) {
			return p, nil
		}
	}
	return 0, fmt.Errorf("protocol %q: want tcp, udp or sctp", s)
}

// MarshalText implements encoding.TextMarshaler.
func (p Protocol) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Protocol) UnmarshalText(b []byte) (err error) {
	*p, err = ParseAnyProtocol(string(b))
	return err
}

// Family is an address family.
type Family uint8

// The two families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// Families lists them in canonical order.
func Families() []Family { return []Family{IPv4, IPv6} }

// String returns "ipv4" or "ipv6".
func (f Family) String() string {
	switch f {
	case IPv4:
		return "ipv4"
	case IPv6:
		return "ipv6"
	}
	return fmt.Sprintf("family(%d)", uint8(f))
}

// MarshalText implements encoding.TextMarshaler.
func (f Family) MarshalText() ([]byte, error) {
	if f != IPv4 && f != IPv6 {
		return nil, fmt.Errorf("family %d: want ipv4 or ipv6", uint8(f))
	}
	return []byte(f.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *Family) UnmarshalText(b []byte) error {
	for _, known := range Families() {
		if known.String() == string(b) {
			*f = known
			return nil
		}
	}
	return fmt.Errorf("family %q: want one of ipv4, ipv6", b)
}
