package ipam

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"net/netip"
	"strings"

	"github.com/planec/planec/ir"
)

// span is the addresses from lo to hi, both included and of one family.
type span struct{ lo, hi netip.Addr }

func (s span) String() string { return s.lo.String() + "-" + s.hi.String() }

func (s span) has(a netip.Addr) bool {
	return a.BitLen() == s.lo.BitLen() && s.lo.Compare(a) <= 0 && a.Compare(s.hi) <= 0
}

func (s span) meets(o span) bool {
	return s.lo.BitLen() == o.lo.BitLen() && s.lo.Compare(o.hi) <= 0 && o.lo.Compare(s.hi) <= 0
}

// number returns an address as a number of 128 bits.
func number(a netip.Addr) (high, low uint64) {
	if a.Is4() {
		b := a.As4()
		return 0, uint64(binary.BigEndian.Uint32(b[:]))
	}
	b := a.As16()
	return binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
}

// count returns how many addresses there are, at most math.MaxUint64.
func (s span) count() uint64 {
	loHigh, loLow := number(s.lo)
	hiHigh, hiLow := number(s.hi)
	low, borrow := bits.Sub64(hiLow, loLow, 0)
	high, _ := bits.Sub64(hiHigh, loHigh, borrow)
	if high > 0 || low == math.MaxUint64 {
		return math.MaxUint64
	}
	return low + 1
}

// buggy reports whether an address ends in .0 or .255, which some devices take for a
// network's own.
func buggy(a netip.Addr) bool {
	if !a.Is4() {
		return false
	}
	last := a.As4()[3]
	return last == 0 || last == 255
}

// buggyCount returns how many addresses of the span are.
func (s span) buggyCount() uint64 {
	if !s.lo.Is4() {
		return 0
	}
	below := func(x uint64) uint64 { return (x+255)/256 + x/256 } // those that end in 0, and in 255
	_, lo := number(s.lo)
	_, hi := number(s.hi)
	return below(hi+1) - below(lo)
}

// plus and minus saturate.
func plus(a, b uint64) uint64 {
	if sum, carry := bits.Add64(a, b, 0); carry == 0 {
		return sum
	}
	return math.MaxUint64
}

func minus(a, b uint64) uint64 {
	if a == math.MaxUint64 {
		return a // it stands for more
	}
	return a - min(a, b)
}

// parseAddr reads a plain address; an IPv4-mapped one counts as IPv4.
func parseAddr(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(strings.TrimSpace(text))
	switch {
	case err != nil:
		return a, fmt.Errorf("%q is no address", bounded(text))
	case a.Zone() != "":
		return a, fmt.Errorf("%q has a zone", bounded(text))
	}
	return a.Unmap(), nil
}

// parseCIDR reads a network; bits below the mask do not count.
func parseCIDR(text string) (span, error) {
	p, err := netip.ParsePrefix(strings.TrimSpace(text))
	if err != nil {
		return span{}, fmt.Errorf("%q is no network", bounded(text))
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return span{}, fmt.Errorf("%q has IPv4-mapped addresses and others", bounded(text))
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	p = p.Masked()
	return usable(span{p.Addr(), ir.LastAddr(p)}, text)
}

// parseRange reads the addresses from one to another.
func parseRange(from, to string) (span, error) {
	lo, err := parseAddr(from)
	if err != nil {
		return span{}, err
	}
	hi, err := parseAddr(to)
	if err != nil {
		return span{}, err
	}
	text := bounded(strings.TrimSpace(from)) + "-" + bounded(strings.TrimSpace(to))
	switch {
	case lo.BitLen() != hi.BitLen():
		return span{}, fmt.Errorf("%s has two families", text)
	case hi.Less(lo):
		return span{}, fmt.Errorf("%s ends before it begins", text)
	}
	return usable(span{lo, hi}, text)
}

// unusable are the addresses that no Service can have: unspecified, loopback, link-local and
// multicast. The API server refuses them as addresses of endpoints, and planec as addresses of
// Services.
func unusable() []netip.Prefix {
	return []netip.Prefix{
		netip.PrefixFrom(netip.AddrFrom4([4]byte{}), 32), netip.PrefixFrom(netip.AddrFrom4([4]byte{127}), 8),
		netip.PrefixFrom(netip.AddrFrom4([4]byte{169, 254}), 16), netip.PrefixFrom(netip.AddrFrom4([4]byte{224}), 4),
		netip.PrefixFrom(netip.IPv6Unspecified(), 127), netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfe, 0x80}), 10),
		netip.PrefixFrom(netip.AddrFrom16([16]byte{0xff}), 8),
	}
}

func usable(s span, text string) (span, error) {
	for _, p := range unusable() {
		if s.meets(span{p.Addr(), ir.LastAddr(p)}) {
			return span{}, fmt.Errorf("%s has addresses of %s, which no Service can have", bounded(text), p)
		}
	}
	return s, nil
}

// bounded cuts a text of the input for a message.
func bounded(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
