package iptables

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
	"sort"
	"strconv"

	"github.com/planec/planec/ir"
)

// entry is a frontend in the dispatch: a key of bits (the address, if it has
// one, the protocol in 2, the port in 16) and the target.
type entry struct {
	hi, lo   uint64
	port     uint32
	frontend *ir.Frontend
	target   string
}

const portBits = 2 + 16

// portKey is a protocol and a port in portBits.
func portKey(m ir.Match) uint32 {
	return uint32(slices.Index(ir.Protocols(), m.Protocol))<<16 | uint32(m.Port)
}

func (d *dataplane) addEntry(f *ir.Frontend, target string) {
	e := entry{port: portKey(f.Match), frontend: f, target: target}
	switch a := f.Match.Address; {
	case f.Kind == ir.NodePort:
		d.nodePorts = append(d.nodePorts, e)
		return
	case a.Is4():
		raw := a.As4()
		e.hi = uint64(binary.BigEndian.Uint32(raw[:])) << 32
	default:
		raw := a.As16()
		e.hi, e.lo = binary.BigEndian.Uint64(raw[:8]), binary.BigEndian.Uint64(raw[8:])
	}
	d.entries = append(d.entries, e)
}

func compareEntry(a, b entry) int {
	return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo), cmp.Compare(a.port, b.port))
}

// dispatch writes a tree of chains over the entries: each chain tells the next
// two bits of the key apart in which its entries differ, so a packet meets few
// rules however many frontends there are. Where a chain may split does not depend
// on what is in it, and its name is its prefix: a new frontend adds its line, and
// at most the chain that it is the ninth of moves. A tree that is cut where it is
// balanced is no shorter to walk, and one more frontend moved up to 276 of its
// lines.
type dispatch struct {
	*dataplane
	addrBits int
	// jump is how the first chain leaves to the others, which use goto.
	jump string
}

const (
	// leafRules is how many frontends a chain lists; a longer list is split by
	// digitBits, into at most 4 parts: about half of either is met on the way. All
	// parts of a key begin at a multiple of digitBits.
	leafRules, digitBits = 8, 2
	// inlineRules is how few are not worth a chain.
	inlineRules = 2
)

// build writes the chain of that name, and tail at its end.
func (d *dispatch) build(name string, list []entry, tail []string) {
	slices.SortFunc(list, compareEntry)
	d.node(name, list, d.jump, tail)
}

func (d *dispatch) node(name string, list []entry, jump string, tail []string) {
	parts := [][]entry{list}
	if len(list) > leafRules {
		parts = d.parts(list)
		for _, p := range parts {
			if len(p) > inlineRules {
				d.node(d.nameOf(p), p, " -g ", nil)
			}
		}
	}
	w := &d.nat
	w.open(name)
	for _, p := range parts {
		if len(parts) > 1 && len(p) > inlineRules {
			w.end(append(append(d.appendMatch(w.rule(), p), jump...), d.nameOf(p)...))
			continue
		}
		for i := range p {
			d.leaf(&p[i])
		}
	}
	for _, r := range tail {
		w.end(append(w.rule(), r...))
	}
	w.close()
}

func (d *dispatch) leaf(e *entry) {
	m := &e.frontend.Match
	b := d.nat.rule()
	if m.Address.IsValid() {
		b = appendHost(b, " -d", m.Address)
	}
	b = d.comment(appendPort(b, m.Protocol, m.Port), &e.frontend.Service)
	d.nat.end(append(b, e.target...))
}

// parts splits a sorted list by the first digit that not all have in common.
func (d *dispatch) parts(list []entry) [][]entry {
	at := d.common(list)
	var parts [][]entry
	for len(list) > 0 {
		first := d.digit(&list[0], at)
		n := sort.Search(len(list), func(i int) bool { return d.digit(&list[i], at) > first })
		parts, list = append(parts, list[:n]), list[n:]
	}
	return parts
}

// common is the number of bits, in whole digits, that a sorted list has in
// common.
func (d *dispatch) common(list []entry) int {
	return d.commonBits(list) / digitBits * digitBits
}

func (d *dispatch) commonBits(list []entry) int {
	a, b := &list[0], &list[len(list)-1]
	switch {
	case a.hi != b.hi:
		return bits.LeadingZeros64(a.hi ^ b.hi)
	case a.lo != b.lo:
		return 64 + bits.LeadingZeros64(a.lo^b.lo)
	}
	return d.addrBits + bits.LeadingZeros32((a.port^b.port)<<(32-portBits))
}

// digit is the digit of the key that begins at a bit.
func (d *dispatch) digit(e *entry, at int) (digit uint8) {
	for i := range digitBits {
		digit <<= 1
		if d.bit(e, at+i) {
			digit |= 1
		}
	}
	return digit
}

func (d *dispatch) bit(e *entry, i int) bool {
	switch {
	case i >= d.addrBits:
		return e.port>>(portBits-1-(i-d.addrBits))&1 != 0
	case i < 64:
		return e.hi>>(63-i)&1 != 0
	}
	return e.lo>>(127-i)&1 != 0
}

// prefix is what a part's addresses have in common, ports what its ports have:
// all of them where protocols differ.
func (d *dispatch) prefix(list []entry) netip.Prefix {
	return netip.PrefixFrom(list[0].frontend.Match.Address, min(d.common(list), d.addrBits)).Masked()
}

func (d *dispatch) ports(list []entry) (protocol ir.Protocol, low, high uint32, ok bool) {
	fixed := d.common(list) - d.addrBits - 2
	if fixed < 0 {
		return 0, 0, 0, false
	}
	free := uint32(1)<<(16-fixed) - 1
	low = list[0].port & 0xffff &^ free
	return list[0].frontend.Match.Protocol, low, low | free, true
}

// appendMatch matches what a part has in common.
func (d *dispatch) appendMatch(b []byte, list []entry) []byte {
	if d.addrBits > 0 {
		b = appendPrefix(b, " -d", d.prefix(list))
	}
	protocol, low, high, ok := d.ports(list)
	switch {
	case !ok:
		return b
	case high-low == 0xffff:
		return append(append(b, " -p "...), protocol.String()...)
	}
	b = strconv.AppendUint(appendTransport(b, protocol), uint64(low), 10)
	return strconv.AppendUint(append(b, ':'), uint64(high), 10)
}

// nameOf is the chain of a part: readable where that is short enough.
func (d *dispatch) nameOf(list []entry) string {
	protocol, low, high, byPort := d.ports(list)
	span := protocol.String() + "-" + strconv.Itoa(int(low)) + "-" + strconv.Itoa(int(high))
	if d.addrBits == 0 {
		return "PLC-NP-" + span
	}
	p := d.prefix(list)
	switch {
	case byPort:
		return d.names.Of("PLC-DST-", p.String(), span)
	case p.Addr().Is6():
		return d.names.Of("PLC-DST-", p.String())
	}
	return "PLC-" + p.Addr().String() + "-" + strconv.Itoa(p.Bits())
}
