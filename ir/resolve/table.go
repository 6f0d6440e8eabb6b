package resolve

import (
	"maps"
	"slices"

	"github.com/planec/planec/ir"
)

// ordered is the rules of a direction that apply to one class, in order.
type ordered struct {
	tiers []ir.Tier
	// rules index the rules of all tiers, counted through.
	rules []int32
	flat  []flatRule
}

type flatRule struct {
	tier int
	*ir.Rule
}

// table resolves one direction; nil where it has no tiers.
func (b *builder) table(tiers []ir.Tier) *Table {
	if len(tiers) == 0 {
		return nil
	}
	o := ordered{tiers: tiers}
	for i := range tiers {
		for j := range tiers[i].Rules {
			o.flat = append(o.flat, flatRule{i, &tiers[i].Rules[j]})
		}
	}
	anyPeer, bySet := b.rulesOf(o.flat)
	g := b.group(bySet)
	rows := make([]int, len(g.groups))
	known := make(map[string]int)
	for i := range g.groups {
		o.rules = g.rules(i, anyPeer, bySet)
		key := signature(o.rules)
		row, have := known[key]
		if !have {
			row = b.intern(resolveRow(o))
			known[key] = row
		}
		rows[i] = row
	}
	t := &Table{Default: rows[0]}
	others := 0
	for _, group := range g.of {
		if rows[group] != t.Default {
			others++
		}
	}
	if others > 0 {
		t.Rows = make([]ClassRow, 0, others)
	}
	for class, group := range g.of {
		if rows[group] != t.Default {
			t.Rows = append(t.Rows, ClassRow{b.out.Classes[class].ID, rows[group]})
		}
	}
	return t
}

// rulesOf returns the rules that any peer matches, and for each set those that
// name it, as indexes in order.
func (b *builder) rulesOf(flat []flatRule) (anyPeer []int32, bySet map[int][]int32) {
	bySet = make(map[int][]int32)
	for i, r := range flat {
		if r.AnyPeer {
			anyPeer = append(anyPeer, int32(i))
		}
		for _, id := range r.Peers {
			s := b.setIndex[id]
			bySet[s] = append(bySet[s], int32(i))
		}
	}
	return anyPeer, bySet
}

// grouping puts classes together that the same of some sets hold.
type grouping struct {
	// of is the group of each class; 0 is held by none of the sets.
	of     []int32
	groups []classGroup
}

// classGroup is the classes of another group that a further set holds.
type classGroup struct{ within, set int }

// group refines the partition of the classes, one set after the other.
func (b *builder) group(bySet map[int][]int32) *grouping {
	g := &grouping{of: make([]int32, len(b.out.Classes)), groups: []classGroup{{}}}
	for _, set := range slices.Sorted(maps.Keys(bySet)) {
		split := make(map[int32]int32)
		for _, class := range b.members[set] {
			old := g.of[class]
			next, have := split[old]
			if !have {
				next = int32(len(g.groups))
				g.groups = append(g.groups, classGroup{int(old), set})
				split[old] = next
			}
			g.of[class] = next
		}
	}
	return g
}

// rules returns those that the peers of a group match, in order.
func (g *grouping) rules(group int, anyPeer []int32, bySet map[int][]int32) []int32 {
	out := slices.Clone(anyPeer)
	for ; group != 0; group = g.groups[group].within {
		out = append(out, bySet[g.groups[group].set]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func signature(rules []int32) string {
	key := make([]byte, 0, 4*len(rules))
	for _, r := range rules {
		key = append(key, byte(r), byte(r>>8), byte(r>>16), byte(r>>24))
	}
	return string(key)
}

func (b *builder) intern(r Row) int {
	id := r.content()
	if i, known := b.rowIndex[id]; known {
		return i
	}
	r.ID = rowName(r, id, &b.names)
	b.rowIndex[id] = len(b.out.Rows)
	b.out.Rows = append(b.out.Rows, r)
	return len(b.out.Rows) - 1
}

// decide walks the tiers with the rules that match.
func (o ordered) decide(matches func(*ir.Rule) bool) bool {
	next := 0
	for i := range o.tiers {
		action := o.tiers[i].Default
		for ; next < len(o.rules) && o.flat[o.rules[next]].tier == i; next++ {
			if r := o.flat[o.rules[next]].Rule; matches(r) {
				action = r.Action
				break
			}
		}
		for next < len(o.rules) && o.flat[o.rules[next]].tier == i {
			next++
		}
		switch action {
		case ir.Accept:
			return true
		case ir.Deny:
			return false
		}
	}
	return true
}

// resolveRow cuts the ports of each protocol where a rule begins or ends.
func resolveRow(o ordered) Row {
	row := Row{Accept: o.decide(func(r *ir.Rule) bool { return r.AnyPort })}
	for _, proto := range ir.Protocols() {
		starts := o.starts(proto)
		for i, first := range starts {
			last := 65535
			if i+1 < len(starts) {
				last = starts[i+1] - 1
			}
			if o.accepts(proto, uint16(first)) != row.Accept {
				row.except(ir.PortRange{Protocol: proto, First: uint16(first), Last: uint16(last)})
			}
		}
	}
	return row
}

func (o ordered) accepts(proto ir.Protocol, port uint16) bool {
	return o.decide(func(r *ir.Rule) bool {
		return r.AnyPort || slices.ContainsFunc(r.Ports, func(p ir.PortRange) bool { return p.Contains(proto, port) })
	})
}

// starts returns where the verdict for a protocol may change; empty where no
// rule knows its ports.
func (o ordered) starts(proto ir.Protocol) []int {
	var out []int
	for _, i := range o.rules {
		for _, p := range o.flat[i].Ports {
			if p.Protocol != proto {
				continue
			}
			out = append(out, int(p.First))
			if p.Last < 65535 {
				out = append(out, int(p.Last)+1)
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	out = append(out, 0)
	slices.Sort(out)
	return slices.Compact(out)
}

// except adds a range, joined with the one before it where they touch.
func (r *Row) except(p ir.PortRange) {
	if n := len(r.Except); n > 0 {
		if before := &r.Except[n-1]; before.Protocol == p.Protocol && int(before.Last)+1 == int(p.First) {
			before.Last = p.Last
			return
		}
	}
	r.Except = append(r.Except, p)
}
