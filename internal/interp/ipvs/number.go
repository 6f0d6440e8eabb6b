package ipvs

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
)

// number reads an unsigned number, decimal or with 0x.
func (r *reader) number(bits int) uint64 {
	word := r.next()
	n, err := strconv.ParseUint(word, 0, bits)
	if err != nil && r.err == nil {
		r.err = err
	}
	return n
}

// masked reads "value/mask"; without a mask, all bits count.
func (r *reader) masked() (value, mask uint32) {
	first, second, has := strings.Cut(r.next(), "/")
	v, err := strconv.ParseUint(first, 0, 32)
	m := uint64(1<<32 - 1)
	if err == nil && has {
		m, err = strconv.ParseUint(second, 0, 32)
	}
	if err != nil && r.err == nil {
		r.err = err
	}
	return uint32(v), uint32(m)
}

func (r *reader) parseAddr(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil && r.err == nil {
		r.err = err
	}
	return a
}

func (r *reader) addrPort() netip.AddrPort {
	a, err := netip.ParseAddrPort(r.next())
	if err != nil && r.err == nil {
		r.err = err
	}
	return a
}

// prefix reads a network; one without a length is a single address.
func (r *reader) prefix(s string) netip.Prefix {
	if !strings.Contains(s, "/") {
		a := r.parseAddr(s)
		return netip.PrefixFrom(a, a.BitLen())
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil && r.err == nil:
		r.err = err
	case err == nil && p.Masked() != p:
		r.fail("%v has bits behind its length", p)
	}
	return p
}

// port reads "protocol:port".
func (r *reader) port(s string) (ir.Protocol, uint16) {
	name, number, _ := strings.Cut(s, ":")
	p, err := ir.ParseProtocol(name)
	if err != nil && r.err == nil {
		r.err = err
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil && r.err == nil {
		r.err = err
	}
	return p, uint16(n)
}
