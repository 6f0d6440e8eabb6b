package testkit

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Flow is one connection to try.
type Flow struct {
	// From is where the packet enters the node. The source of a pod flow becomes a
	// local pod of the rig; the source of an outside flow may be any address
	// except those of the node and its pods.
	From eval.Entry
	// Src may be omitted for FromNode: the client then binds the node's first
	// address of the family.
	Src, Dst netip.Addr
	// Protocol is TCP, UDP, SCTP or a protocol without ports, of which one packet is
	// sent that is not answered.
	Protocol ir.Protocol
	// Port is the destination port; 0 for protocols without ports.
	Port uint16
	// SourcePort is the source port; if it is 0, the kernel selects one. Flows that
	// are tried together must not share one of an address and protocol.
	SourcePort uint16
	// Type and Code are those of an ICMP or ICMPv6 packet.
	Type, Code uint8
}

// Packet returns the flow as a packet without an interface.
func (f Flow) Packet() eval.Packet {
	return eval.Packet{
		Src: f.Src, Dst: f.Dst, Protocol: f.Protocol, Port: f.Port, Type: f.Type, Code: f.Code, SourcePort: f.SourcePort, From: f.From,
	}
}

// Destination returns the flow's destination address and port.
func (f Flow) Destination() netip.AddrPort { return netip.AddrPortFrom(f.Dst, f.Port) }

// mayBeRefused reports whether the kernel sends an ICMP error about the flow's packet:
// it sends none about errors and about types that it does not know (icmp_send), and none
// about protocols whose checksum it cannot verify (nf_reject_verify_csum).
func (f Flow) mayBeRefused() bool {
	const gre, esp, ah = 47, 50, 51
	known := f.Protocol.HasPorts() || f.Protocol.HasTypes() || f.Protocol == gre || f.Protocol == esp || f.Protocol == ah
	return known && !f.Untracked()
}

// Untracked reports whether conntrack takes the flow's packet for invalid: of ICMP, it
// knows requests only.
func (f Flow) Untracked() bool {
	return f.Protocol == ir.ICMP && f.Type != 8 || f.Protocol == ir.ICMPv6 && f.Type != 128
}

// String returns "entry src -> dst:port/proto", with source port or type and code.
func (f Flow) String() string {
	src := "*"
	if f.Src.IsValid() {
		src = f.Src.String()
	}
	if f.SourcePort != 0 {
		src = fmt.Sprintf("%s (port %d)", src, f.SourcePort)
	}
	text := fmt.Sprintf("%v %s -> %v/%v", f.From, src, f.Destination(), f.Protocol)
	if f.Protocol.HasTypes() {
		text += fmt.Sprintf(" type %d code %d", f.Type, f.Code)
	}
	return text
}
