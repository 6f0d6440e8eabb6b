package eval

import (
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/space"
)

// header is the transport header of packets, as rules ask of it. It is what
// [Transport] is for a single packet.
type header struct {
	packets *space.Packets // nil if all values are known
	// protocol and source are the protocol and the source port, port is the
	// destination port, and kind is type and code of ICMP.
	protocol, source, port, kind space.Value
}

// header returns a header of known values.
func (q Transport) header() *header {
	known := func(n uint16) space.Value { return space.Known(space.N(uint64(n))) }
	return &header{protocol: known(uint16(q.Protocol)), source: known(q.SourcePort), port: known(q.Port), kind: known(q.Port)}
}

// header returns that of the packets, with a destination port.
func (t *trace) header(port space.Value) *header {
	return &header{packets: t.packets, protocol: space.Protocol.Value(), source: space.SourcePort.Value(), port: port, kind: space.Type.Value()}
}

// of reports whether the packets are of the protocol.
func (h *header) of(p ir.Protocol) bool {
	return h.packets.Equal(h.protocol, space.Known(space.N(uint64(p))))
}

// inRange reports whether a value is in the range.
func (h *header) inRange(v space.Value, r ir.PortRange) bool {
	return h.packets.Inside(v, space.Interval{First: space.N(uint64(r.First)), Last: space.N(uint64(r.Last))})
}

// matches reports whether a rule is about the packets, their addresses apart.
func (h *header) matches(r *ir.Rule) bool {
	if !r.AnyPort && !slices.ContainsFunc(r.Ports, h.goesTo) || slices.ContainsFunc(r.NotPorts, h.goesTo) {
		return false
	}
	return len(r.SourcePorts) == 0 ||
		slices.ContainsFunc(r.SourcePorts, func(p ir.PortRange) bool { return h.of(p.Protocol) && h.inRange(h.source, p) })
}

// goesTo reports whether the packets go to the range.
func (h *header) goesTo(p ir.PortRange) bool {
	switch {
	case !h.of(p.Protocol):
		return false
	case p.Every():
		return true
	case p.Protocol.HasTypes():
		return h.inRange(h.kind, p)
	}
	return h.inRange(h.port, p)
}
