package resolve

import "github.com/planec/planec/ir"

// The ports of all protocols lie on one line, the ports of one protocol after
// those of the other, in the order of [ir.Protocols]. What is no port of them,
// as packets of protocols without ports, is one place at the end of the line.
const portsOfProtocol = 1 << 16

// verdicts say what rules do with each place of the line: pieces of it, sorted,
// of which the first begins at 0 and no two neighbours say the same. Action 0 is
// where no rule matches.
type verdicts []piece

type piece struct {
	from   uint32
	action ir.Action
}

// everywhere is one action for all.
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

// verdictsOf are those of one rule. Its ports are sorted.
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

// lineOf is where the ports of a protocol begin.
func lineOf(p ir.Protocol) uint32 {
	for i, known := range ir.Protocols() {
		if known == p {
			return uint32(i) * portsOfProtocol
		}
	}
	return uint32(len(ir.Protocols())) * portsOfProtocol
}

// then are the verdicts of rules of which those of w come after those of v.
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

// replaced are the verdicts after each action became another one.
func (v verdicts) replaced(by func(ir.Action) ir.Action) verdicts {
	out := make(verdicts, 0, len(v))
	for _, p := range v {
		out = out.add(p.from, by(p.action))
	}
	return out
}

// row is verdicts that accept or deny every packet, without a name.
func (v verdicts) row() Row {
	accepts := func(i int) bool { return v[i].action == ir.Accept }
	row := Row{Accept: accepts(len(v) - 1)}
	if len(v) > 1 {
		// Every other piece, and where a protocol ends, since neighbours differ.
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
