package ir

import (
	"net/netip"
	"slices"
)

// FamilyOf returns the family of an address. An IPv4-mapped IPv6 address counts
// as IPv6, because on the wire it is; the compiler unmaps addresses before they
// reach a program.
func FamilyOf(a netip.Addr) Family {
	if a.Is4() {
		return IPv4
	}
	return IPv6
}

// ContainsAddr reports whether any of the prefixes contains a.
func ContainsAddr(prefixes []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// PrefixesOf returns the prefixes of one family, in the given order.
func PrefixesOf(f Family, prefixes []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range prefixes {
		if FamilyOf(p.Addr()) == f {
			out = append(out, p)
		}
	}
	return out
}

// AddrsOf returns the addresses of one family, in the given order.
func AddrsOf(f Family, addrs []netip.Addr) []netip.Addr {
	var out []netip.Addr
	for _, a := range addrs {
		if FamilyOf(a) == f {
			out = append(out, a)
		}
	}
	return out
}

// UpperHalf returns the second half of a prefix, which has more than one address.
func UpperHalf(p netip.Prefix) netip.Prefix {
	b := p.Addr().AsSlice()
	b[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	a, _ := netip.AddrFromSlice(b) // it has the length of an address
	return netip.PrefixFrom(a, p.Bits()+1)
}

// LastAddr returns the last address of a prefix.
func LastAddr(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
