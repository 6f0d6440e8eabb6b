package resolve

import "github.com/planec/planec/ir"

// The ports of all protocols are on one line, protocol after protocol, in the
// order of [ir.Protocols]. All other packets, as of protocols without ports,
// share one place at the end of the line.
const portsOfProtocol = 1 << 16

// verdicts assign an action to each place of the line: sorted pieces, the first
// of which begins at 0, and neighbours differ. Action 0 means that no rule
// matches.
type verdicts []piece

type piece struct {
	from   uint32
	action ir.Action
}

// everywhere is one action for all places.
func everywhere(a ir.Action) verdicts { return verdicts{{0, a}} }

// add appends a piece that ends where the next begins.
func (v verdicts) add(from uint32, a ir.Action) verdicts {
	n := len(v)
	if n > 0 && v[n-1].from == from {
		v, n = v[:n-1], n-1
	}
	if n > 0 && v[n-1].action == a {
		return v
	}
	return append(v, piece{from, a})
}

// verdictsOf returns the verdicts of one rule, whose ports are sorted.
func verdictsOf(r *ir.Rule) verdicts {
	if r.AnyPort {
		return everywhere(r.Action)
	}
	v := make(verdicts, 1, 2*len(r.Ports)+1)
	end := uint32(0)
	for _, p := range r.Ports {
		base := lineOf(p.Protocol)
		first, next := base+uint32(p.First), base+uint32(p.Last)+1
		if next <= end {
			continue
		}
		v = v.add(max(first, end), r.Action)
		v = v.add(next, 0)
		end = next
	}
	return v
}

// lineOf returns where the ports of a protocol begin.
func lineOf(p ir.Protocol) uint32 {
	for i, known := range ir.Protocols() {
		if known == p {
			return uint32(i) * portsOfProtocol
		}
	}
	return uint32(len(ir.Protocols())) * portsOfProtocol
}

// then combines verdicts of rules: v comes first, w applies where v has none.
func (v verdicts) then(w verdicts) verdicts {
	switch {
	case len(w) == 1 && w[0].action == 0, len(v) == 1 && v[0].action != 0:
		return v
	case len(v) == 1:
		return w
	}
	out := make(verdicts, 0, len(v)+len(w))
	for i, j := 0, 0; i < len(v) || j < len(w); {
		from := uint32(0)
		switch {
		case j == len(w), i < len(v) && v[i].from < w[j].from:
			from = v[i].from
			i++
		case i == len(v), w[j].from < v[i].from:
			from = w[j].from
			j++
		default:
			from = v[i].from
			i, j = i+1, j+1
		}
		action := v[i-1].action
		if action == 0 {
			action = w[j-1].action
		}
		out = out.add(from, action)
	}
	return out
}

// replaced returns the verdicts with each action replaced.
func (v verdicts) replaced(by func(ir.Action) ir.Action) verdicts {
	out := make(verdicts, 0, len(v))
	for _, p := range v {
		out = out.add(p.from, by(p.action))
	}
	return out
}

// row returns verdicts that accept or deny every packet, as a row without a name.
func (v verdicts) row() Row {
	accepts := func(i int) bool { return v[i].action == ir.Accept }
	row := Row{Accept: accepts(len(v) - 1)}
	if len(v) > 1 {
		// Take every other piece, split at protocol boundaries, since neighbours differ.
		row.Except = make([]ir.PortRange, 0, len(v)/2+len(ir.Protocols()))
	}
	i := 0
	for n, proto := range ir.Protocols() {
		begin, end := uint32(n)*portsOfProtocol, uint32(n+1)*portsOfProtocol
		for ; i < len(v); i++ {
			next := end
			if i+1 < len(v) {
				next = min(end, v[i+1].from)
			}
			if from := max(begin, v[i].from); from < next && accepts(i) != row.Accept {
				row.Except = append(row.Except, ir.PortRange{Protocol: proto, First: uint16(from - begin), Last: uint16(next - 1 - begin)})
			}
			if i+1 == len(v) || v[i+1].from > end {
				break
			}
		}
	}
	return row
}
