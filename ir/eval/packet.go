package eval

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Packet is a packet as it reaches the node: the first of its connection, unless State says
// otherwise.
type Packet struct {
	Src, Dst netip.Addr  // both unmapped, of one family; Src is never multicast
	Protocol ir.Protocol // TCP, UDP, SCTP or another; ICMP has Type instead of Port
	// Port is the destination port; 0 for protocols without ports.
	Port uint16
	// Type and Code are those of an ICMP or ICMPv6 packet.
	Type, Code uint8
	// SourcePort is the source port; 0 for protocols without ports, and allowed
	// as an unknown one, which only rules about a range from port 0 match.
	SourcePort uint16
	From       Entry // the sender: a local pod, the node or another machine
	// Interface is the name of the interface on which the packet arrived; "" if
	// the node itself sent it.
	Interface string
	// Midstream marks a TCP segment without SYN of a connection that conntrack
	// does not know: it has ended, or the conntrack table was emptied.
	Midstream bool
	// State is the state of the packet's connection.
	State State
}

// String returns "src -> dst:port/proto from entry".
func (p Packet) String() string {
	return fmt.Sprintf("%v -> %v/%v from %v", p.Src, netip.AddrPortFrom(p.Dst, p.Port), p.Protocol, p.From)
}

// Transport is what policies see of a packet besides its addresses.
type Transport struct {
	Protocol ir.Protocol // TCP, UDP, SCTP, or any other
	// Port is the destination port, for ICMP and ICMPv6 type and code as
	// [ir.TypeAndCode] puts them, and 0 for all other protocols.
	Port uint16
	// SourcePort is the source port, and 0 if it is unknown or there is none.
	SourcePort uint16
}

// String returns "80/tcp", "type 8/icmp" or "protocol-47".
func (q Transport) String() string {
	r := ir.PortRange{Protocol: q.Protocol, First: q.Port, Last: q.Port}
	switch {
	case q.Protocol.HasTypes() && q.Port&0xff == 0:
		r.Last |= 0xff
	case !q.Protocol.HasPorts() && !q.Protocol.HasTypes():
		return q.Protocol.String()
	}
	return r.String()
}

// Transport returns what policies see of the packet once its destination port is
// the given one.
func (p Packet) Transport(port uint16) Transport {
	switch {
	case p.Protocol.HasTypes():
		return Transport{Protocol: p.Protocol, Port: ir.TypeAndCode(p.Type, p.Code)}
	case p.Protocol.HasPorts():
		return Transport{Protocol: p.Protocol, Port: port, SourcePort: p.SourcePort}
	}
	return Transport{Protocol: p.Protocol}
}

// State is what connection tracking knows of a packet's connection.
type State uint8

// The states: the first packet of a connection; a later one or a reply; an ICMP error about
// a connection; a packet that belongs to no connection (ctinfo and IPS_ of
// include/uapi/linux/netfilter/nf_conntrack_common.h).
const (
	FirstPacket State = iota
	Established
	Related
	Invalid
)

// String returns "new", "established", "related" or "invalid".
func (s State) String() string {
	return textOf("state", uint8(s)+1, "new", "established", "related", "invalid")
}

// Entry is where a packet enters the node.
type Entry uint8

// The entries: a local pod's interface, a process of the node itself (or of a
// pod on the host's network), any other interface.
const (
	FromPod Entry = iota + 1
	FromNode
	FromOutside
)

// String returns "pod", "node" or "outside".
func (e Entry) String() string { return textOf("entry", uint8(e), "pod", "node", "outside") }

// ParseEntry parses the result of String.
func ParseEntry(s string) (Entry, error) {
	for _, e := range []Entry{FromPod, FromNode, FromOutside} {
		if e.String() == s {
			return e, nil
		}
	}
	return 0, fmt.Errorf("entry %q: want pod, node or outside", s)
}

// Verdict is what happens to a packet.
type Verdict uint8

// The verdicts. Pass keeps the destination, DNAT replaces it by an endpoint,
// Reject answers with ICMP port unreachable, Drop is silent.
const (
	Pass Verdict = iota + 1
	DNAT
	Drop
	Reject
)

// String returns "pass", "dnat", "drop" or "reject".
func (v Verdict) String() string {
	return textOf("verdict", uint8(v), "pass", "dnat", "drop", "reject")
}

// textOf returns the text of a value, which counts from 1.
func textOf(what string, value uint8, texts ...string) string {
	if value == 0 || int(value) > len(texts) {
		return fmt.Sprintf("%s(%d)", what, value)
	}
	return texts[value-1]
}

// ParseVerdict parses the result of String.
func ParseVerdict(s string) (Verdict, error) {
	for _, v := range []Verdict{Pass, DNAT, Drop, Reject} {
		if v.String() == s {
			return v, nil
		}
	}
	return 0, fmt.Errorf("verdict %q: want pass, dnat, drop or reject", s)
}

// Result is what happens to a packet, and why.
type Result struct {
	Verdict Verdict // including policies
	// Endpoints are the possible endpoints if the verdict is DNAT, in the pool's
	// order. An endpoint's probability is proportional to its weight.
	Endpoints []Choice
	// Denied are possible endpoints that a policy denies to the packet. If there
	// are no others, the verdict is Drop or Reject.
	Denied []Choice
	// Masquerade reports that the packet gets the node's source address with
	// every endpoint.
	Masquerade bool
	// Affinity is how many seconds a client keeps its endpoint; 0 is no affinity.
	Affinity uint32
	// Frontend is the matching frontend, or nil.
	Frontend *ir.Frontend
	// Logs are the prefixes with which policies log the packet: at most one for
	// each direction and possible endpoint.
	Logs  []string
	Steps []Step // the reasons, in the order of evaluation
}

// Choice is one possible endpoint of a packet.
type Choice struct {
	Address netip.AddrPort // the endpoint, after DNAT
	Weight  uint16         // its share of the connections, relative to the sum of all weights
	// Share is the part of the connections that rules draw the endpoint for, from 0 to
	// 1; 0 in the evaluator's own results, which have weights.
	Share float64
	// Binding names what rules have bound the client to the endpoint with: connections with
	// one binding share an affinity. It is "" without affinity, and in the evaluator's own
	// results, where that is the Service port.
	Binding string
	// Masquerade reports that the packet gets the node's source address with
	// this endpoint.
	Masquerade bool
	// Hairpin reports that the endpoint would connect to itself.
	Hairpin bool
	Origin  ir.Origin // the EndpointSlice with the endpoint
}

// Step is one reason for a verdict.
type Step struct {
	Stage  string    // the deciding part of the dataplane, such as "service" or "egress"
	Text   string    // the reason, for a person
	Origin ir.Origin // the object behind the reason; may be the zero value
}

// Addresses returns the addresses of the endpoints, sorted.
func (r Result) Addresses() []netip.AddrPort {
	out := make([]netip.AddrPort, len(r.Endpoints))
	for i, e := range r.Endpoints {
		out[i] = e.Address
	}
	slices.SortFunc(out, netip.AddrPort.Compare)
	return out
}
