package space

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
	"sync"
)

// Table finds the entry of a key of several values. An entry is a product of
// intervals; of several that hold a key the one of the highest priority counts, and of
// those the first. It is safe for concurrent use once it is filled.
//
// A look-up goes from value to value. For each it divides all numbers by what the
// entries say of the remaining values, so packets that no entry tells apart stay
// together: a table of 10,000 addresses with 30 verdicts cuts a box in 31 parts.
type Table struct {
	entries []Row
	mu      sync.Mutex
	// roots are the trees by the order of values.
	roots map[string]*node
}

// Add adds an entry. All keys of a table have the same number of intervals.
func (t *Table) Add(key []Interval, priority, value int) {
	t.entries = append(t.entries, Row{key, priority, value})
}

// Row is an entry of a table.
type Row struct {
	Key      []Interval // the interval of each value
	Priority int        // the highest one that holds a key counts
	Value    int        // what is found
}

// Rows returns the entries, in the order of their addition. They must not be changed.
func (t *Table) Rows() []Row { return t.entries }

// Then returns a table that finds what to says of what a table of single values finds, or
// does not find.
func (t *Table) Then(to func(value int, found bool) int) *Table {
	out := &Table{entries: []Row{{Key: []Interval{{Last: Highest(128)}}, Value: to(0, false)}}, roots: make(map[string]*node)}
	n := &node{order: []byte{0}}
	parts := map[int]int32{}
	part := func(value int) int32 {
		at, has := parts[value]
		if !has {
			at = int32(len(n.children))
			parts[value] = at
			n.children = append(n.children, &node{value: value})
		}
		return at
	}
	if len(t.entries) == 0 {
		n.starts, n.parts = []Number{{}}, []int32{part(out.entries[0].Value)}
		out.roots["\x00"] = n
		return out
	}
	from := t.root([]Value{{}})
	moved := make(map[int32]int32)
	for i, old := range from.parts {
		at, has := moved[old]
		if !has {
			value := out.entries[0].Value
			if old >= 0 {
				value = to(t.child(from, int(old)).value, true)
			}
			at = part(value)
			moved[old] = at
		}
		if last := len(n.parts); last == 0 || n.parts[last-1] != at {
			n.starts, n.parts = append(n.starts, from.starts[i]), append(n.parts, at)
		}
	}
	out.roots["\x00"] = n
	return out
}

// Find returns the value of the entry that holds the key.
func (t *Table) Find(p *Packets, key ...Value) (int, bool) {
	if len(t.entries) == 0 {
		return 0, false
	}
	n := t.root(key)
	for n != nil && n.order != nil {
		part := n.choose(p, key[n.order[0]])
		if part < 0 {
			return 0, false
		}
		n = t.child(n, part)
	}
	if n == nil {
		return 0, false
	}
	return n.value, true
}

// node is a division of the numbers of one value, or a leaf.
type node struct {
	// order is the indices of the values from this level on; nil for a leaf.
	order []byte
	value int // of a leaf
	// entries are those that hold the values before.
	entries []int32
	// starts are where parts begin, from 0, and parts which part begins there;
	// -1 is no entry.
	starts   []Number
	parts    []int32
	members  [][]int32 // the entries of a part
	children []*node   // by part; nil until they are needed
}

// root returns the tree for a key: known values come first, because they leave the
// fewest entries.
func (t *Table) root(key []Value) *node {
	var buf [8]byte
	order := buf[:0]
	for i := range key {
		if key[i].Known {
			order = append(order, byte(i))
		}
	}
	for i := range key {
		if !key[i].Known {
			order = append(order, byte(i))
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.roots[string(order)]
	if n == nil {
		all := make([]int32, len(t.entries))
		for i := range all {
			all[i] = int32(i)
		}
		n = t.divide(slices.Clone(order), all)
		if t.roots == nil {
			t.roots = make(map[string]*node)
		}
		t.roots[string(order)] = n
	}
	return n
}

// child returns the node of a part, which it makes if it must.
func (t *Table) child(n *node, part int) *node {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n.children[part] == nil {
		n.children[part] = t.divide(n.order[1:], n.members[part])
	}
	return n.children[part]
}

// divide makes the node of some entries.
func (t *Table) divide(order []byte, entries []int32) *node {
	if len(order) == 0 {
		return &node{value: t.entries[t.best(entries)].Value}
	}
	n := &node{order: order, entries: entries}
	d := divider{Table: t, node: n, last: len(order) == 1, known: make(map[string]int32)}
	d.sweep()
	n.children = make([]*node, len(n.members))
	return n
}

// best returns the entry that counts.
func (t *Table) best(entries []int32) int32 {
	best := entries[0]
	for _, e := range entries[1:] {
		if t.entries[e].Priority > t.entries[best].Priority || t.entries[e].Priority == t.entries[best].Priority && e < best {
			best = e
		}
	}
	return best
}

// divider divides the numbers of one value.
type divider struct {
	*Table
	*node
	last bool // whether it is the last value
	// known has the parts by what the entries say of the remaining values.
	known map[string]int32
	text  []byte
}

// edge is where an entry begins, or ends before.
type edge struct {
	at    Number
	entry int32
	ends  bool
}

func (d *divider) sweep() {
	at := int(d.order[0])
	edges := make([]edge, 0, 2*len(d.node.entries))
	for _, e := range d.node.entries {
		i := d.Table.entries[e].Key[at]
		edges = append(edges, edge{i.First, e, false})
		if end := i.Last.Next(); end != (Number{}) {
			edges = append(edges, edge{end, e, true})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.entry, b.entry)) })
	var active []int32
	d.begin(Number{}, nil)
	for i := 0; i < len(edges); {
		now := edges[i].at
		for ; i < len(edges) && edges[i].at == now; i++ {
			place, found := slices.BinarySearch(active, edges[i].entry)
			switch {
			case edges[i].ends && found:
				active = slices.Delete(active, place, place+1)
			case !edges[i].ends:
				active = slices.Insert(active, place, edges[i].entry)
			}
		}
		d.begin(now, active)
	}
}

// begin begins a part at a number.
func (d *divider) begin(at Number, active []int32) {
	part := d.part(active)
	if n := len(d.starts); n > 0 {
		switch {
		case d.starts[n-1] == at:
			d.starts, d.parts = d.starts[:n-1], d.parts[:n-1]
			d.begin(at, active)
			return
		case d.parts[n-1] == part:
			return
		}
	}
	d.starts, d.parts = append(d.starts, at), append(d.parts, part)
}

// part returns the part of the entries: that of others which say the same of the
// remaining values, if there is one.
func (d *divider) part(active []int32) int32 {
	if len(active) == 0 {
		return -1
	}
	d.text = d.text[:0]
	if d.last {
		d.text = binary.AppendVarint(d.text, int64(d.Table.entries[d.best(active)].Value))
	} else {
		for _, e := range active {
			d.describe(&d.Table.entries[e])
		}
	}
	if known, ok := d.known[string(d.text)]; ok {
		return known
	}
	part := int32(len(d.members))
	d.members = append(d.members, slices.Clone(active))
	d.known[string(d.text)] = part
	return part
}

func (d *divider) describe(e *Row) {
	for _, at := range d.order[1:] {
		for _, n := range []Number{e.Key[at].First, e.Key[at].Last} {
			d.text = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(d.text, n.Hi), n.Lo)
		}
	}
	d.text = binary.AppendVarint(binary.AppendVarint(d.text, int64(e.Priority)), int64(e.Value))
}

// choose returns the part that a value is in. It cuts the packets if their field is in
// several, and goes on with one of them.
func (n *node) choose(p *Packets, v Value) int {
	if v.Known {
		return int(n.parts[n.at(v.Number)])
	}
	s := p.box.Sets[v.Field]
	if m, ok := s.Point(); ok {
		return int(n.parts[n.at(m)])
	}
	lists, first := n.spread(s)
	if len(lists) == 1 {
		return first
	}
	chosen, kept := -2, Set{}
	for _, l := range lists {
		part := s.with(l.list)
		switch {
		case part.Empty():
		case chosen == -2:
			chosen, kept = l.part, part
		default:
			p.keep(v.Field, part)
		}
	}
	p.box.Sets[v.Field] = kept
	return chosen
}

// at returns the index of the part that begins at or before a number.
func (n *node) at(m Number) int {
	return sort.Search(len(n.starts), func(i int) bool { return m.Less(n.starts[i]) }) - 1
}

// share is what a part has of a set.
type share struct {
	part int
	list []Interval
}

// spread returns the shares of all parts in a set, and the first of the parts.
func (n *node) spread(s Set) (out []share, first int) {
	index := make(map[int32]int)
	add := func(part int32, i Interval) {
		at, known := index[part]
		if !known {
			at = len(out)
			index[part] = at
			out = append(out, share{part: int(part)})
		}
		out[at].list = append(out[at].list, i)
	}
	for _, i := range s.list {
		for k := n.at(i.First); k < len(n.starts); k++ {
			from, to := n.starts[k], i.Last
			if i.Last.Less(from) {
				break
			}
			if from.Less(i.First) {
				from = i.First
			}
			if k+1 < len(n.starts) && !i.Last.Less(n.starts[k+1]) {
				to = n.starts[k+1].Prev()
			}
			add(n.parts[k], Interval{from, to})
		}
	}
	return out, out[0].part
}
