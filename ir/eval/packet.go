package eval

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Packet is the first packet of a connection, as the node meets it.
type Packet struct {
	Src, Dst netip.Addr  // both unmapped, of one family; never a multicast Src
	Protocol ir.Protocol // TCP, UDP, SCTP or another; ICMP has Type instead of Port
	// Port is the destination port; 0 for protocols without ports.
	Port uint16
	// Type is the type of an ICMP or ICMPv6 packet.
	Type uint8
	From Entry // who sent it: a local pod, the node or another machine
	// Interface is the name of the interface the packet came in by; "" when
	// the node sent it itself.
	Interface string
	// Midstream is a TCP segment without SYN, of a connection that conntrack does
	// not know: it was ended, or its table was emptied.
	Midstream bool
}

// String returns "src -> dst:port/proto from entry".
func (p Packet) String() string {
	return fmt.Sprintf("%v -> %v/%v from %v", p.Src, netip.AddrPortFrom(p.Dst, p.Port), p.Protocol, p.From)
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
func (e Entry) String() string {
	switch e {
	case FromPod:
		return "pod"
	case FromNode:
		return "node"
	case FromOutside:
		return "outside"
	}
	return fmt.Sprintf("entry(%d)", uint8(e))
}

// ParseEntry reads what String writes.
func ParseEntry(s string) (Entry, error) {
	for _, e := range []Entry{FromPod, FromNode, FromOutside} {
		if e.String() == s {
			return e, nil
		}
	}
	return 0, fmt.Errorf("entry %q: want pod, node or outside", s)
}

// Verdict is the fate of a packet.
type Verdict uint8

// The verdicts. Pass leaves the destination alone, DNAT gives it an endpoint,
// Reject answers with ICMP port unreachable, Drop is silent.
const (
	Pass Verdict = iota + 1
	DNAT
	Drop
	Reject
)

// String returns "pass", "dnat", "drop" or "reject".
func (v Verdict) String() string {
	switch v {
	case Pass:
		return "pass"
	case DNAT:
		return "dnat"
	case Drop:
		return "drop"
	case Reject:
		return "reject"
	}
	return fmt.Sprintf("verdict(%d)", uint8(v))
}

// ParseVerdict reads what String writes.
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
	Verdict Verdict // what happens to the packet, policies included
	// Endpoints are all that the packet may get when the verdict is DNAT, in
	// the pool's order; each as likely as its weight.
	Endpoints []Choice
	// Denied are the endpoints that the packet may be given too, and which a
	// policy then keeps it from. When it gets no other, the verdict is Drop or
	// Reject.
	Denied []Choice
	// Masquerade is whether the packet leaves with the node's source address,
	// whichever endpoint it gets.
	Masquerade bool
	// Affinity is the seconds a client keeps its endpoint; 0 is no affinity.
	Affinity uint32
	// Frontend is the frontend that decided, or nil.
	Frontend *ir.Frontend
	Steps    []Step // the reasons in the order in which they applied
}

// Choice is one endpoint that a packet may get.
type Choice struct {
	Address netip.AddrPort // the endpoint, after DNAT
	Weight  uint16         // its share of the connections, out of the sum over all endpoints
	// Masquerade is whether the packet gets the node's source address when it
	// is given this endpoint.
	Masquerade bool
	// Hairpin is whether the endpoint would be talking to itself.
	Hairpin bool
	Origin  ir.Origin // the EndpointSlice that has the endpoint
}

// Step is one reason on the way to a verdict.
type Step struct {
	Stage  string    // the part of the dataplane that decided, as "service" or "egress"
	Text   string    // the reason, in words for a person
	Origin ir.Origin // the object that the reason is about; may be the zero value
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
