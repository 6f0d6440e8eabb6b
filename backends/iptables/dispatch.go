package iptables

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/planec/planec/ir"
)

// The dispatch is a tree of chains that finds a frontend among many by few rules.
// A frontend that comes moves nothing of others: which chains lead to it depends on
// it alone, and a chain is there as soon as one frontend needs it. How deep the tree
// is depends on how many frontends there are in whole, and changes at few numbers
// (listed, cellRules). A tree that divides what it has, in the middle or by the first
// bits that differ, is up to a fifth shorter to walk and moves lines of others: 276
// at worst, or 14.

const (
	// listed is how many frontends one list may have: fewer are not worth a tree.
	listed = 8
	// fewPorts is how many ports of an address stand among those of others. More
	// have a chain of their own, which lists them up to listedPorts.
	fewPorts, listedPorts = 4, 16
)

// entry is a frontend in the dispatch and its target. hi and lo are its address,
// an IPv4 one in the last 32 bits, key its protocol and port.
type entry struct {
	hi, lo   uint64
	key      uint32
	frontend *ir.Frontend
	target   string
}

// protocolBits and portBits make a key.
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

// branch is what a chain of the tree has: a frontend's rule, or a match and the
// chain of those that fit it.
type branch struct {
	entry *entry
	match []byte
	chain string
}

// tree writes a chain: its branches, taken by jump ("-g", or "-j" where a packet
// that finds nothing must come back), then tail.
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

// goTo is how chains below the first leave to others.
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

// groups splits a list where neighbours are not alike.
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
