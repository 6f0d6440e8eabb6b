package foreign

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/space"
)

// protocols are the names that listings have for protocols with ports.
var protocols = map[string]ir.Protocol{"tcp": ir.TCP, "udp": ir.UDP, "sctp": ir.SCTP, "icmp": ir.ICMP, "ipv6-icmp": ir.ICMPv6, "icmpv6": ir.ICMPv6}

func protocol(text string) (space.Number, error) {
	if p, known := protocols[text]; known {
		return space.N(uint64(p)), nil
	}
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil {
		return space.Number{}, fmt.Errorf("the protocol %q is not known", text)
	}
	return space.N(n), nil
}

// interval reads an element of one of nft's types.
func (n *nftTable) interval(kind, text string) (space.Interval, error) {
	switch kind {
	case "ipv4_addr", "ipv6_addr":
		return addresses(text, kind == "ipv6_addr")
	case "inet_proto":
		p, err := protocol(text)
		return space.Interval{First: p, Last: p}, err
	case "inet_service":
		return ports(text, "-")
	case "ifname":
		return interfaces(strings.Trim(text, `"`), "*")
	}
	return space.Interval{}, fmt.Errorf("the type %q is not known", kind)
}

// addresses reads an address, a prefix or a range.
func addresses(text string, ipv6 bool) (space.Interval, error) {
	if first, last, is := strings.Cut(text, "-"); is {
		a, err := netip.ParseAddr(first)
		b, err2 := netip.ParseAddr(last)
		if err != nil || err2 != nil || a.Is4() == ipv6 || b.Is4() == ipv6 || b.Less(a) {
			return space.Interval{}, fmt.Errorf("%q is no range of addresses of the family", text)
		}
		return space.Interval{First: space.Addr(a), Last: space.Addr(b)}, nil
	}
	p, err := netip.ParsePrefix(text)
	if a, plain := netip.ParseAddr(text); plain == nil {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	if err != nil || p.Addr().Is4() == ipv6 || p.Addr().Zone() != "" || p.Masked() != p {
		return space.Interval{}, fmt.Errorf("%q is no address or network of the family", text)
	}
	return space.Prefix(p), nil
}

// ports reads a port or a range of ports.
func ports(text, separator string) (space.Interval, error) {
	first, last, is := strings.Cut(text, separator)
	if !is {
		last = first
	}
	a, err := strconv.ParseUint(first, 10, 16)
	b, err2 := strconv.ParseUint(last, 10, 16)
	if err != nil || err2 != nil || b < a {
		return space.Interval{}, fmt.Errorf("%q is no port", text)
	}
	return space.Interval{First: space.N(a), Last: space.N(b)}, nil
}

// interfaces reads a name, or the beginning of names with the given sign for any rest.
func interfaces(name, rest string) (space.Interval, error) {
	begin, isPrefix := strings.CutSuffix(name, rest)
	switch {
	case begin == "" && !isPrefix || len(begin) > space.MaxName || strings.ContainsAny(begin, rest+`\`):
		return space.Interval{}, fmt.Errorf("%q is no name of an interface", name)
	case isPrefix:
		return space.Names(begin), nil
	}
	return space.Interval{First: space.Name(name), Last: space.Name(name)}, nil
}
