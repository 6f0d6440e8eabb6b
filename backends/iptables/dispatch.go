package iptables

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/planec/planec/ir"
)

// The dispatch is a tree of chains that finds one of many frontends with few
// rules. A new frontend does not move the rules of others: the chains that lead to
// it depend only on the frontend itself, and a chain exists as soon as one
// frontend needs it. The depth depends on the total number of frontends and
// changes at few thresholds (listed, cellRules). A balanced tree, split in the
// middle or at the first differing bits, has up to 20% shorter paths, but a new
// frontend moves the rules of others: 276 or 14 in the worst case.

const (
	// listed is the maximum number of frontends in a list; a tree pays off only above it.
	listed = 8
	// An address with up to fewPorts ports shares a list with other addresses.
	// With more ports it has its own chain, which is a list up to listedPorts.
	fewPorts, listedPorts = 4, 16
)

// entry is a frontend in the dispatch with its target. hi and lo are its address
// (an IPv4 address in the last 32 bits), key its protocol and port.
type entry struct {
	hi, lo   uint64
	key      uint32
	frontend *ir.Frontend
	target   string
}

// protocolBits and portBits are the widths of the two parts of a key.
const protocolBits, portBits = 2, 16

func portKey(m ir.Match) uint32 {
	return uint32(slices.Index(ir.Protocols(), m.Protocol))<<portBits | uint32(m.Port)
}

func (d *dataplane) addEntry(f *ir.Frontend, target string) {
	e := entry{key: portKey(f.Match), frontend: f, target: target}
	switch a := f.Match.Address; {
	case f.Kind == ir.NodePort:
		d.nodePorts = append(d.nodePorts, e)
		return
	case a.Is4():
		raw := a.As4()
		e.lo = uint64(binary.BigEndian.Uint32(raw[:]))
	default:
		raw := a.As16()
		e.hi, e.lo = binary.BigEndian.Uint64(raw[:8]), binary.BigEndian.Uint64(raw[8:])
	}
	d.entries = append(d.entries, e)
}

func compareEntry(a, b entry) int {
	return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo), cmp.Compare(a.key, b.key))
}

// branch is one entry of a chain of the tree: the rule of a frontend, or a match
// with the chain for packets that match.
type branch struct {
	entry *entry
	match []byte
	chain string
}

// tree writes a chain: its branches, then tail. jump is "-g", or "-j" if a packet
// without a match must return.
func (d *dataplane) tree(name, jump string, branches []branch, tail []string) {
	w := &d.nat
	w.open(name)
	for i := range branches {
		if b := &branches[i]; b.entry != nil {
			d.leaf(b.entry)
		} else {
			w.end(append(append(append(w.rule(), b.match...), jump...), b.chain...))
		}
	}
	for _, r := range tail {
		w.end(append(w.rule(), r...))
	}
	w.close()
}

// goTo leads from chains below the first to other chains; packets do not return.
const goTo = " -g "

func (d *dataplane) leaf(e *entry) {
	m := &e.frontend.Match
	b := d.nat.rule()
	if m.Address.IsValid() {
		b = appendHost(b, " -d", m.Address)
	}
	b = d.comment(appendPort(b, m.Protocol, m.Port), &e.frontend.Service)
	d.nat.end(append(b, e.target...))
}

func leaves(list []entry) []branch {
	out := make([]branch, len(list))
	for i := range list {
		out[i].entry = &list[i]
	}
	return out
}

// groups splits a list between adjacent elements that are not alike.
func groups[T any](list []T, alike func(a, b *T) bool) [][]T {
	var out [][]T
	for start, i := 0, 1; start < len(list); i++ {
		if i == len(list) || !alike(&list[start], &list[i]) {
			out = append(out, list[start:i:i])
			start = i
		}
	}
	return out
}
