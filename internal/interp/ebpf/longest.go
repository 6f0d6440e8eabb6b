package ebpf

import (
	"encoding/binary"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir/space"
)

// longest emulates the kernel's LPM trie of addresses in numbered sets: it finds the value
// of the longest prefix. Keys of IPv4 packets are IPv4-mapped addresses.
type longest struct{ ipv4, ipv6 space.Table }

// mapped is the number of ::ffff:0:0, and low the bits of an IPv4 address in it.
var mapped, low = space.Number{Lo: 0xffff << 32}, space.Number{Lo: 0xffffffff}

func newLongest(m *image.Map) *longest {
	t := new(longest)
	for i := range m.Len() {
		k := layout.DecodePrefixKey(m.Key(i))
		t.add(k, int(binary.LittleEndian.Uint32(m.Value(i))))
	}
	return t
}

func (t *longest) add(k layout.PrefixKey, value int) {
	bits := int(k.Bits) - layout.SetBits
	if bits < 0 {
		return // it names no set: images that were read have none
	}
	set := one(space.N(uint64(binary.BigEndian.Uint32(k.Set[:]))))
	whole := space.Host(bits, 128)
	first := number(k.Address).Without(whole)
	addresses := space.Interval{First: first, Last: first.Or(whole)}
	t.ipv6.Add([]space.Interval{set, addresses}, bits, value)
	switch {
	case bits >= 96 && first.Without(low) == mapped:
		t.ipv4.Add([]space.Interval{set, {First: first.And(low), Last: addresses.Last.And(low)}}, bits, value)
	case bits < 96 && addresses.Contains(mapped):
		t.ipv4.Add([]space.Interval{set, {Last: low}}, bits, value)
	}
}

// find looks up an address. It returns 0 if no entry matches, as a program would.
func (t *longest) find(p *space.Packets, set uint32, addr space.Value) uint32 {
	table := &t.ipv4
	if p.IPv6() {
		table = &t.ipv6
	}
	value, _ := table.Find(p, space.Known(space.N(uint64(set))), addr)
	return uint32(value)
}

// in returns the table of the addresses of one set.
func (t *longest) in(set uint32, ipv6 bool) *space.Table {
	from, out := &t.ipv4, new(space.Table)
	if ipv6 {
		from = &t.ipv6
	}
	for _, r := range from.Rows() {
		if r.Key[0].Contains(space.N(uint64(set))) {
			out.Add(r.Key[1:], r.Priority, r.Value)
		}
	}
	return out
}

// contains reports whether a prefix of the set covers the address.
func (t *longest) contains(p *space.Packets, set uint32, addr space.Value) bool {
	return t.find(p, set, addr) != 0
}

// ports emulates the LPM trie of rows, protocols and ports.
type ports struct{ table space.Table }

func newPorts(m *image.Map, value func(i int) int) *ports {
	t := new(ports)
	for i := range m.Len() {
		k := layout.DecodePortKey(m.Key(i))
		protocol, port := one(space.N(uint64(k.Protocol))), space.Interval{Last: space.N(0xffff)}
		if k.Bits < layout.ProtocolBits {
			protocol = space.Interval{Last: space.N(0xff)}
		} else {
			first, last := k.Range()
			port = space.Interval{First: space.N(uint64(first)), Last: space.N(uint64(last))}
		}
		t.table.Add([]space.Interval{one(rowNumber(k.Row)), protocol, port}, int(k.Bits), value(i))
	}
	return t
}

// find looks up a row for packets; it returns 0 if no entry matches.
func (t *ports) find(p *space.Packets, row layout.PolicyID, protocol, port space.Value) int {
	value, _ := t.table.Find(p, space.Known(rowNumber(row)), protocol, port)
	return value
}

func rowNumber(id layout.PolicyID) space.Number {
	return space.N(binary.BigEndian.Uint64(id[:]))
}

func one(n space.Number) space.Interval { return space.Interval{First: n, Last: n} }

// number is that of 16 bytes.
func number(a layout.Address) space.Number {
	return space.Number{Hi: binary.BigEndian.Uint64(a[:8]), Lo: binary.BigEndian.Uint64(a[8:])}
}
