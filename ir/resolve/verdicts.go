package resolve

import (
	"slices"

	"github.com/planec/planec/ir"
)

// The places of all protocols are on one line: the ports of TCP, UDP and SCTP and
// the types and codes of ICMP and ICMPv6, protocol after protocol, then one place
// for each protocol number. The last place is that of all protocols that no rule
// names.
const (
	placesOfProtocol = 1 << 16
	placeOfNumber0   = 5 * placesOfProtocol
	placeOfUnnamed   = placeOfNumber0 + 256
)

// lineProtocols lists the protocols with many places, in the order of the line.
func lineProtocols() []ir.Protocol { return []ir.Protocol{ir.TCP, ir.UDP, ir.SCTP, ir.ICMP, ir.ICMPv6} }

// span returns the places of a range, and the place behind them.
func span(r ir.PortRange) (first, next uint32) {
	if i := slices.Index(lineProtocols(), r.Protocol); i >= 0 {
		base := uint32(i) * placesOfProtocol
		return base + uint32(r.First), base + uint32(r.Last) + 1
	}
	at := placeOfNumber0 + uint32(r.Protocol)
	return at, at + 1
}

// fate is what some rules do with a packet: the action that ends their
// evaluation, 0 if none does, and the Log rule that is met first.
type fate struct {
	action ir.Action
	// log is the number of a log prefix, counted from 1.
	log uint16
}

// then is f, or g where f ends nothing.
func (f fate) then(g fate) fate {
	if f.action != 0 {
		return f
	}
	if f.log != 0 {
		g.log = f.log
	}
	return g
}

// verdicts assign a fate to each place of the line: sorted pieces, the first
// of which begins at 0, and neighbours differ.
type verdicts []piece

type piece struct {
	from uint32
	fate
}

// everywhere is one action for all places.
func everywhere(a ir.Action) verdicts { return verdicts{{0, fate{action: a}}} }

// add appends a piece that ends where the next begins.
func (v verdicts) add(from uint32, f fate) verdicts {
	n := len(v)
	if n > 0 && v[n-1].from == from {
		v, n = v[:n-1], n-1
	}
	if n > 0 && v[n-1].fate == f {
		return v
	}
	return append(v, piece{from, f})
}

// on returns the verdicts that are f in the ranges, which are sorted by protocol and port.
func on(ranges []ir.PortRange, f fate) verdicts {
	v := make(verdicts, 1, 2*len(ranges)+1)
	end := uint32(0)
	for _, p := range inOrder(ranges) {
		first, next := span(p)
		if next <= end {
			continue
		}
		v = v.add(max(first, end), f)
		v = v.add(next, fate{})
		end = next
	}
	return v
}

// inOrder returns the ranges in the order of the line. The ranges of a program
// are in the order of the protocols' numbers, which differs where ICMP occurs.
func inOrder(ranges []ir.PortRange) []ir.PortRange {
	byPlace := func(a, b ir.PortRange) int {
		x, _ := span(a)
		y, _ := span(b)
		return int(x) - int(y)
	}
	if slices.IsSortedFunc(ranges, byPlace) {
		return ranges
	}
	return slices.SortedFunc(slices.Values(ranges), byPlace)
}

// verdictsOf returns the verdicts of one rule for packets from a source.
func (d *direction) verdictsOf(r *ir.Rule, from source) verdicts {
	f := fate{action: r.Action}
	switch r.Action {
	case ir.Log:
		f = fate{log: d.logNumber(r.Prefix)}
	case ir.Redirect:
		f.action = d.onRedirect
	}
	v := verdicts{{0, f}}
	if !r.AnyPort {
		v = on(r.Ports, f)
	}
	if len(r.NotPorts) > 0 {
		v = v.only(on(r.NotPorts, fate{action: ir.Deny}), false)
	}
	if len(r.SourcePorts) > 0 {
		v = v.only(on(from.whole(r.SourcePorts), fate{action: ir.Accept}), true)
	}
	return v
}

// only keeps the fates where the mask has an action (in), or where it has none.
func (v verdicts) only(mask verdicts, in bool) verdicts {
	return merge(v, mask, func(f, m fate) fate {
		if (m.action != 0) != in {
			return fate{}
		}
		return f
	})
}

// merge combines the fates of each place.
func merge(v, w verdicts, combine func(a, b fate) fate) verdicts {
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
		out = out.add(from, combine(v[i-1].fate, w[j-1].fate))
	}
	return out
}

// then combines verdicts of rules: v comes first, w applies where v ends nothing.
func (v verdicts) then(w verdicts) verdicts {
	switch {
	case len(w) == 1 && w[0].fate == fate{}, len(v) == 1 && v[0].action != 0:
		return v
	case len(v) == 1 && v[0].fate == fate{}:
		return w
	}
	return merge(v, w, fate.then)
}

// replaced returns the verdicts with each action replaced.
func (v verdicts) replaced(by func(ir.Action) ir.Action) verdicts {
	out := make(verdicts, 0, len(v))
	for _, p := range v {
		out = out.add(p.from, fate{by(p.action), p.log})
	}
	return out
}

// at returns the fate of a place.
func (v verdicts) at(place uint32) fate {
	i, found := slices.BinarySearchFunc(v, place, func(p piece, place uint32) int { return int(p.from) - int(place) })
	if !found {
		i--
	}
	return v[i].fate
}

// where returns the answer for the unnamed protocols, and the ranges with the
// opposite answer, disjoint, sorted by protocol in the order of the line, and as
// few as possible.
func (v verdicts) where(yes func(fate) bool) (unnamed bool, except []ir.PortRange) {
	unnamed = yes(v.at(placeOfUnnamed))
	if len(v) == 1 {
		return unnamed, nil
	}
	// Neighbours with equal answers count as one piece.
	answers := make([]answer, 0, len(v))
	for _, p := range v {
		if a := yes(p.fate); len(answers) == 0 || answers[len(answers)-1].yes != a {
			answers = append(answers, answer{p.from, a})
		}
	}
	except = make([]ir.PortRange, 0, len(answers)/2+len(lineProtocols()))
	for i, a := range answers {
		if a.yes == unnamed {
			continue
		}
		next := uint32(placeOfUnnamed)
		if i+1 < len(answers) {
			next = answers[i+1].from
		}
		except = appendSpan(except, a.from, next)
	}
	if len(except) == 0 {
		return unnamed, nil
	}
	return unnamed, except
}

type answer struct {
	from uint32
	yes  bool
}

// appendSpan appends the ranges of the places from first to before next.
func appendSpan(out []ir.PortRange, first, next uint32) []ir.PortRange {
	for i, proto := range lineProtocols() {
		begin, end := uint32(i)*placesOfProtocol, uint32(i+1)*placesOfProtocol
		if from, to := max(first, begin), min(next, end); from < to {
			out = append(out, ir.PortRange{Protocol: proto, First: uint16(from - begin), Last: uint16(to - 1 - begin)})
		}
	}
	for place := max(first, placeOfNumber0); place < min(next, placeOfUnnamed); place++ {
		if proto := ir.Protocol(place - placeOfNumber0); !slices.Contains(lineProtocols(), proto) {
			out = append(out, ir.EveryPort(proto))
		}
	}
	return out
}
