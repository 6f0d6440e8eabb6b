package clusterwide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// Protocols are the protocols with ports, in the order of Ports's index.
var protocols = [...]ir.Protocol{ir.TCP, ir.UDP, ir.SCTP}

// Protocols returns the protocols with ports, in the order of [Ports.Spans].
func Protocols() [len(protocols)]ir.Protocol { return protocols }

// Span is a range of ports, both ends included.
type Span struct{ First, Last int }

// LastPort is the highest port.
const LastPort = 65535

// Ports is a set of packets by protocol and destination port, whose source port is not
// known. Other stands for the protocols without ports.
type Ports struct {
	Spans [len(protocols)][]Span // the ports of each of [Protocols], sorted and disjoint
	// Other is whether the set has the packets of protocols without ports; Apart are
	// those for which it is the opposite, by protocol, and by ICMP type and code: sorted,
	// disjoint and not adjacent.
	Other bool
	Apart []ir.PortRange
	// Named tells which named ports the set contains, whatever their numbers;
	// nil means the value of Other.
	Named []bool
	Names []string // the names of Named, such as "http/tcp"
}

// HasNamed reports whether the set contains the named port.
func (s *Ports) HasNamed(i int) bool {
	if s.Named == nil {
		return s.Other
	}
	return s.Named[i]
}

// EveryPort returns the set of all packets.
func EveryPort() Ports {
	s := Ports{Other: true}
	for i := range s.Spans {
		s.Spans[i] = []Span{{0, LastPort}}
	}
	return s
}

// unknownSource is a source port that only rules about every source port match.
const unknownSource = 0

// tablePorts returns the packets that a row of tables accepts.
func tablePorts(tables *resolve.Policy, row int) Ports {
	r := &tables.Rows[row]
	out := rowPorts(r)
	for _, s := range r.Sources {
		if at := slices.Index(protocols[:], s.Ports.Protocol); s.Ports.Contains(s.Ports.Protocol, unknownSource) {
			out.Spans[at] = rowPorts(&tables.Rows[s.Row]).Spans[at]
		}
	}
	return out
}

// rowPorts returns the packets that a row accepts, without its source ports.
func rowPorts(r *resolve.Row) Ports {
	except := rangePorts(r.Except)
	if r.Accept {
		return EveryPort().Minus(except)
	}
	return except
}

// rangePorts returns the packets in any of the ranges.
func rangePorts(ranges []ir.PortRange) Ports {
	var out Ports
	for _, x := range joined(ranges) {
		if at := slices.Index(protocols[:], x.Protocol); at >= 0 {
			out.Spans[at] = append(out.Spans[at], Span{int(x.First), int(x.Last)})
		} else {
			out.Apart = append(out.Apart, x)
		}
	}
	return out
}

// Empty reports whether the set has no packet.
func (s Ports) Empty() bool {
	return s.Ranges() == 0 && !s.Other && len(s.Apart) == 0 && !slices.Contains(s.Named, true)
}

// Minus returns the packets of s that are not in t.
func (s Ports) Minus(t Ports) Ports {
	out := Ports{Other: s.Other && !t.Other}
	if out.Names = s.Names; out.Names == nil {
		out.Names = t.Names
	}
	if out.Names != nil {
		out.Named = make([]bool, len(out.Names))
		for i := range out.Named {
			out.Named[i] = s.HasNamed(i) && !t.HasNamed(i)
		}
	}
	for i := range s.Spans {
		out.Spans[i] = minusSpans(s.Spans[i], t.Spans[i])
	}
	if len(s.Apart)+len(t.Apart) > 0 {
		out.Apart = apart(s, t, out.Other)
	}
	return out
}

// Intersect returns the packets of both sets.
func (s Ports) Intersect(t Ports) Ports { return s.Minus(EveryPort().Minus(t)) }

// Union returns the packets of either set.
func (s Ports) Union(t Ports) Ports {
	return EveryPort().Minus(EveryPort().Minus(s).Minus(t))
}

// minusSpans subtracts sorted disjoint spans from sorted disjoint spans.
func minusSpans(a, b []Span) []Span {
	var out []Span
	for _, x := range a {
		for _, y := range b {
			if y.Last < x.First || y.First > x.Last {
				continue
			}
			if y.First > x.First {
				out = append(out, Span{x.First, y.First - 1})
			}
			x.First = y.Last + 1
		}
		if x.First <= x.Last {
			out = append(out, x)
		}
	}
	return out
}

// Contains reports whether the set has a packet; port is ICMP's type and code, as
// [ir.TypeAndCode] puts them, and ignored for protocols without ports or types.
func (s Ports) Contains(proto ir.Protocol, port uint16) bool {
	i := slices.Index(protocols[:], proto)
	if i < 0 {
		return s.Other != inRanges(s.Apart, proto, port)
	}
	return slices.ContainsFunc(s.Spans[i], func(x Span) bool { return x.First <= int(port) && int(port) <= x.Last })
}

// Example returns a packet of the set, with port 0 only if there is no other.
func (s Ports) Example() (ir.Protocol, uint16) {
	for i, proto := range protocols {
		if len(s.Spans[i]) == 0 {
			continue
		}
		x := s.Spans[i][0]
		return proto, uint16(max(x.First, min(1, x.Last)))
	}
	return s.otherExample()
}

// WordEveryPort describes the set of all ports.
const WordEveryPort = "every port"

// String formats the set for people.
func (s Ports) String() string {
	all := EveryPort()
	missing := all.Minus(s)
	if s.coversPorts() && len(s.Apart) == 0 && !slices.Contains(missing.Named, true) {
		return WordEveryPort
	}
	if s.Other && s.Ranges() > 0 && missing.Ranges()+len(missing.Apart) <= 4 {
		return "every port but " + Join(missing.List(), "and")
	}
	parts := s.List()
	if s.Other {
		parts = append(parts, s.otherWords())
	}
	const most = 6
	if len(parts) > most {
		return fmt.Sprintf("%s and %d more ranges of ports", strings.Join(parts[:most], ", "), len(parts)-most)
	}
	return Join(parts, "and")
}

func (s Ports) coversPorts() bool {
	return !slices.ContainsFunc(s.Spans[:], func(x []Span) bool { return len(minusSpans([]Span{{0, LastPort}}, x)) > 0 })
}

// Ranges counts the ranges of ports.
func (s Ports) Ranges() int {
	n := 0
	for i := range s.Spans {
		n += len(s.Spans[i])
	}
	return n
}

// List formats each range: "80/tcp", "8000-8999/udp", "every tcp port", "type 8/icmp".
func (s Ports) List() []string {
	var out []string
	for i, proto := range protocols {
		for _, x := range s.Spans[i] {
			switch {
			case x.First == x.Last:
				out = append(out, fmt.Sprintf("%d/%v", x.First, proto))
			case x.First == 0 && x.Last == LastPort:
				out = append(out, fmt.Sprintf("every %v port", proto))
			default:
				out = append(out, fmt.Sprintf("%d-%d/%v", x.First, x.Last, proto))
			}
		}
	}
	if !s.Other {
		for _, x := range s.Apart {
			out = append(out, x.String())
		}
	}
	for i, has := range s.Named {
		if has && !s.Other {
			out = append(out, "the port named "+s.Names[i])
		}
	}
	return out
}

// Join formats "a", "a and b", "a, b and c".
func Join(parts []string, word string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + " " + word + " " + parts[last]
}
