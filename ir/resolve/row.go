package resolve

import (
	"cmp"
	"slices"

	"github.com/planec/planec/ir"
)

// plainRow returns verdicts that accept or deny every packet, as a row without a
// name and without sources.
func (b *builder) plainRow(v verdicts) Row {
	var r Row
	r.Accept, r.Except = v.where(func(f fate) bool { return f.action == ir.Accept })
	for i, prefix := range b.prefixes {
		every, except := v.where(func(f fate) bool { return int(f.log) == i+1 })
		if every || len(except) > 0 {
			r.Logs = append(r.Logs, Log{prefix, every, except})
		}
	}
	slices.SortFunc(r.Logs, func(a, b Log) int { return cmp.Compare(a.Prefix, b.Prefix) })
	return r
}

// within returns r for packets of one protocol and base for all others. It is
// what a row for source ports of the protocol looks like, whatever the others are.
func (r Row) within(base *Row, p ir.Protocol) Row {
	out := Row{Accept: base.Accept}
	out.Except = spliced(base.Except, base.Accept, r.Except, r.Accept, p)
	for _, l := range r.Logs {
		b := base.log(l.Prefix)
		if except := spliced(b.Except, b.Every, l.Except, l.Every, p); b.Every || len(except) > 0 {
			out.Logs = append(out.Logs, Log{l.Prefix, b.Every, except})
		}
	}
	for _, b := range base.Logs {
		if r.log(b.Prefix).Prefix == "" {
			if except := spliced(b.Except, b.Every, nil, false, p); b.Every || len(except) > 0 {
				out.Logs = append(out.Logs, Log{b.Prefix, b.Every, except})
			}
		}
	}
	slices.SortFunc(out.Logs, func(a, b Log) int { return cmp.Compare(a.Prefix, b.Prefix) })
	return out
}

// addSource adds the next source ports, to those before if they are neighbours with the
// same row.
func (r *Row) addSource(s SourceRow) {
	if n := len(r.Sources); n > 0 {
		last := &r.Sources[n-1]
		if last.Row == s.Row && last.Ports.Protocol == s.Ports.Protocol && last.Ports.Last+1 == s.Ports.First {
			last.Ports.Last = s.Ports.Last
			return
		}
	}
	r.Sources = append(r.Sources, s)
}

// log returns the packets that are logged with the prefix.
func (r *Row) log(prefix string) Log {
	for _, l := range r.Logs {
		if l.Prefix == prefix {
			return l
		}
	}
	return Log{}
}

// spliced returns the exceptions of base, with those of the protocol replaced by
// what other says of it.
func spliced(base []ir.PortRange, baseUnnamed bool, other []ir.PortRange, otherUnnamed bool, p ir.Protocol) []ir.PortRange {
	v := on(base, fate{action: ir.Accept})
	w := on(other, fate{action: ir.Accept})
	flip := baseUnnamed != otherUnnamed
	mask := on([]ir.PortRange{ir.EveryPort(p)}, fate{action: ir.Accept})
	mine := merge(w, mask, func(f, m fate) fate {
		if m.action != 0 && (f.action != 0) != flip {
			return fate{action: ir.Accept}
		}
		return fate{}
	})
	both := v.only(mask, false).then(mine)
	_, out := both.where(func(f fate) bool { return f.action == ir.Accept })
	return out
}

func (r *Row) equal(o *Row) bool {
	return r.Accept == o.Accept && slices.Equal(r.Except, o.Except) &&
		slices.EqualFunc(r.Logs, o.Logs, func(a, b Log) bool {
			return a.Prefix == b.Prefix && a.Every == b.Every && slices.Equal(a.Except, b.Except)
		})
}
