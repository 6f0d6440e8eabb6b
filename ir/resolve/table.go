package resolve

import (
	"cmp"
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
	var flat []flatRule
	for i := range tiers {
		for j := range tiers[i].Rules {
			flat = append(flat, flatRule{i, &tiers[i].Rules[j]})
		}
	}
	anyPeer, byClass := b.rulesOf(flat)
	rows := make(map[string]int)
	resolve := func(rules []int32) int {
		key := signature(rules)
		row, known := rows[key]
		if !known {
			row = b.intern(resolveRow(ordered{tiers, rules, flat}))
			rows[key] = row
		}
		return row
	}
	t := &Table{Default: resolve(anyPeer)}
	for class, own := range byClass {
		rules := append(slices.Clone(own), anyPeer...)
		slices.Sort(rules)
		if row := resolve(rules); row != t.Default {
			t.Rows = append(t.Rows, ClassRow{b.out.Classes[class].ID, row})
		}
	}
	slices.SortFunc(t.Rows, func(x, y ClassRow) int { return cmp.Compare(x.Class, y.Class) })
	return t
}

// rulesOf returns the rules that any peer matches, and for each class those
// that need one of its sets.
func (b *builder) rulesOf(flat []flatRule) (anyPeer []int32, byClass map[int][]int32) {
	byClass = make(map[int][]int32)
	for i, r := range flat {
		if r.AnyPeer {
			anyPeer = append(anyPeer, int32(i))
			continue
		}
		for _, id := range r.Peers {
			for _, class := range b.members[b.setIndex[id]] {
				rules := byClass[class]
				if n := len(rules); n == 0 || rules[n-1] != int32(i) {
					byClass[class] = append(rules, int32(i))
				}
			}
		}
	}
	return anyPeer, byClass
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
	r.ID = rowName(r, id)
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
