package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// portProtocols are the protocols with ports, in the order of portSet's index.
var portProtocols = [...]ir.Protocol{ir.TCP, ir.UDP, ir.SCTP}

// span is a range of ports, both ends included.
type span struct{ first, last int }

const lastPort = 65535

// portSet is a set of packets by protocol and destination port. Other stands
// for all protocols without ports.
type portSet struct {
	spans [len(portProtocols)][]span
	other bool
	// named tells which named ports the set contains, whatever their numbers;
	// nil means the value of other.
	named []bool
	names []string
}

// hasNamed reports whether the set contains the named port.
func (s *portSet) hasNamed(i int) bool {
	if s.named == nil {
		return s.other
	}
	return s.named[i]
}

func everyPort() portSet {
	s := portSet{other: true}
	for i := range s.spans {
		s.spans[i] = []span{{0, lastPort}}
	}
	return s
}

// rowPorts returns the packets that a row accepts.
func rowPorts(r *resolve.Row) portSet {
	var except portSet
	for i, proto := range portProtocols {
		for _, x := range r.Except {
			if x.Protocol == proto {
				except.spans[i] = append(except.spans[i], span{int(x.First), int(x.Last)})
			}
		}
	}
	if r.Accept {
		return everyPort().minus(except)
	}
	return except
}

func (s portSet) empty() bool {
	return s.ranges() == 0 && !s.other && !slices.Contains(s.named, true)
}

func (s portSet) minus(t portSet) portSet {
	out := portSet{other: s.other && !t.other}
	if out.names = s.names; out.names == nil {
		out.names = t.names
	}
	if out.names != nil {
		out.named = make([]bool, len(out.names))
		for i := range out.named {
			out.named[i] = s.hasNamed(i) && !t.hasNamed(i)
		}
	}
	for i := range s.spans {
		out.spans[i] = minusSpans(s.spans[i], t.spans[i])
	}
	return out
}

func (s portSet) intersect(t portSet) portSet { return s.minus(everyPort().minus(t)) }

func (s portSet) union(t portSet) portSet {
	return everyPort().minus(everyPort().minus(s).minus(t))
}

// minusSpans subtracts sorted disjoint spans from sorted disjoint spans.
func minusSpans(a, b []span) []span {
	var out []span
	for _, x := range a {
		for _, y := range b {
			if y.last < x.first || y.first > x.last {
				continue
			}
			if y.first > x.first {
				out = append(out, span{x.first, y.first - 1})
			}
			x.first = y.last + 1
		}
		if x.first <= x.last {
			out = append(out, x)
		}
	}
	return out
}

func (s portSet) contains(proto ir.Protocol, port uint16) bool {
	i := slices.Index(portProtocols[:], proto)
	if i < 0 {
		return s.other
	}
	return slices.ContainsFunc(s.spans[i], func(x span) bool { return x.first <= int(port) && int(port) <= x.last })
}

// example returns a packet of the set, with port 0 only if there is no other.
func (s portSet) example() (ir.Protocol, uint16) {
	for i, proto := range portProtocols {
		if len(s.spans[i]) == 0 {
			continue
		}
		x := s.spans[i][0]
		return proto, uint16(max(x.first, min(1, x.last)))
	}
	return ir.ICMP, 0
}

// wordEveryPort describes the set of all ports.
const wordEveryPort = "every port"

// String formats the set for people.
func (s portSet) String() string {
	all := everyPort()
	missing := all.minus(s)
	if s.minus(all).empty() && s.coversPorts() && !slices.Contains(missing.named, true) {
		return wordEveryPort
	}
	if s.other && s.ranges() > 0 && missing.ranges() <= 4 {
		return "every port but " + join(missing.list(), "and")
	}
	parts := s.list()
	if s.other {
		parts = append(parts, "protocols without ports")
	}
	const most = 6
	if len(parts) > most {
		return fmt.Sprintf("%s and %d more ranges of ports", strings.Join(parts[:most], ", "), len(parts)-most)
	}
	return join(parts, "and")
}

func (s portSet) coversPorts() bool {
	return !slices.ContainsFunc(s.spans[:], func(x []span) bool { return len(minusSpans([]span{{0, lastPort}}, x)) > 0 })
}

func (s portSet) ranges() int {
	n := 0
	for i := range s.spans {
		n += len(s.spans[i])
	}
	return n
}

// list formats each range: "80/tcp", "8000-8999/udp", "every tcp port".
func (s portSet) list() []string {
	var out []string
	for i, proto := range portProtocols {
		for _, x := range s.spans[i] {
			switch {
			case x.first == x.last:
				out = append(out, fmt.Sprintf("%d/%v", x.first, proto))
			case x.first == 0 && x.last == lastPort:
				out = append(out, fmt.Sprintf("every %v port", proto))
			default:
				out = append(out, fmt.Sprintf("%d-%d/%v", x.first, x.last, proto))
			}
		}
	}
	for i, has := range s.named {
		if has && !s.other {
			out = append(out, "the port named "+s.names[i])
		}
	}
	return out
}

// join formats "a", "a and b", "a, b and c".
func join(parts []string, word string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + " " + word + " " + parts[last]
}
