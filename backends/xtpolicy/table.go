package xtpolicy

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"strconv"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// table fills the sets of peers.
func (b *builder) table(key string, tiers []ir.Tier, resolved *resolve.Table) *table {
	t := &table{key: key, other: b.rows.resolved[resolved.Default]}
	if !namesPeers(tiers) {
		return t
	}
	f := b.fill(t, resolved)
	// The sets of pairs exist even if they are empty, so that a new pod changes
	// only elements.
	if len(f.yes) > 0 || !t.other.accept || len(t.other.except) > 0 {
		t.yes = b.peers("plc-yes-", key, pairs)
		t.yes.elements = f.yes
	}
	if len(f.no) > 0 || t.other.accept || len(t.other.except) > 0 {
		t.no = b.peers("plc-not-", key, pairs)
		t.no.elements = f.no
	}
	t.rows = f.distinct(t.other)
	if len(t.rows) == 0 {
		return t
	}
	t.differ = b.peers("plc-row-", key, networks)
	f.members(t.differ, func(r *row) bool { return r != t.other })
	t.bits = make(map[int]*Set)
	for _, bit := range branches(t.rows) {
		t.bits[bit] = b.peers("plc-row-", key, networks, strconv.Itoa(bit))
		f.members(t.bits[bit], func(r *row) bool { return r != t.other && r.code<<bit>>63 == 1 })
	}
	return t
}

// peers creates a set of a table.
func (b *builder) peers(prefix, key, kind string, more ...string) *Set {
	return b.set(b.names.Of(prefix, append([]string{key}, more...)...)+b.suffix, kind)
}

// filling maps each piece of the address space to its row in one table.
type filling struct {
	*space
	nets, hosts []*row
	yes, no     []element
}

func (b *builder) fill(t *table, resolved *resolve.Table) filling {
	f := filling{space: b.space, nets: make([]*row, len(b.space.nets)), hosts: make([]*row, len(b.space.hosts))}
	rowOf := make([]*row, len(b.space.classes))
	for i, class := range b.space.classes {
		rowOf[i] = b.rows.resolved[resolved.Row(class)]
	}
	for i := range b.space.nets {
		f.nets[i] = rowOf[b.space.nets[i].class]
	}
	for i := range b.space.hosts {
		h := &b.space.hosts[i]
		base := t.other
		if h.within >= 0 {
			base = f.nets[h.within]
		}
		s := b.rows.split(rowOf[h.class], base)
		f.hosts[i] = s.rest
		for _, p := range s.ports {
			e := element{prefix: h.prefix, protocol: p.Protocol, port: p.First}
			if base.accepts(p.Protocol, p.First) {
				f.no = append(f.no, e)
			} else {
				f.yes = append(f.yes, e)
			}
		}
	}
	return f
}

// distinct returns the rows of all pieces, sorted, except for the given one.
func (f *filling) distinct(without *row) []*row {
	seen := map[*row]bool{without: true}
	var out []*row
	for _, list := range [][]*row{f.nets, f.hosts} {
		for _, r := range list {
			if !seen[r] {
				seen[r] = true
				out = append(out, r)
			}
		}
	}
	slices.SortFunc(out, func(a, b *row) int { return cmp.Compare(a.code, b.code) })
	return out
}

// members adds the pieces whose row belongs to a set of networks. The kernel
// matches longer prefixes first in such a set, so only pieces that differ from the
// surrounding piece are listed.
func (f *filling) members(s *Set, belongs func(*row) bool) {
	around := func(i int) bool { return i >= 0 && belongs(f.nets[i]) }
	add := func(p *piece, r *row) {
		if in := belongs(r); in != around(p.within) {
			s.add(element{prefix: p.prefix, noMatch: !in})
		}
	}
	for i := range f.nets {
		add(&f.space.nets[i], f.nets[i])
	}
	for i := range f.hosts {
		add(&f.space.hosts[i], f.hosts[i])
	}
}

// branches returns the bits by which a trie separates sorted rows.
func branches(rows []*row) []int {
	seen := make(map[int]bool)
	for i := 1; i < len(rows); i++ {
		seen[bits.LeadingZeros64(rows[i-1].code^rows[i].code)] = true
	}
	return slices.Sorted(maps.Keys(seen))
}
