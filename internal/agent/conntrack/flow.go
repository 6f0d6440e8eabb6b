package conntrack

import (
	"net/netip"

	"github.com/planec/planec/ir"
)

// Flow is a tracked connection. Ports are 0 if the protocol has none.
type Flow struct {
	Protocol ir.Protocol // TCP, UDP, SCTP or another
	// Src and Dst are the addresses of the first packet as it was received.
	Src, Dst netip.AddrPort
	// ReplySrc is the answering address: the destination after DNAT. ReplyDst is
	// the destination of answers: the source after masquerading.
	ReplySrc, ReplyDst netip.AddrPort
	// SrcOwn and DstOwn are whether Src and Dst are addresses of the node.
	SrcOwn, DstOwn bool
	// Related is a connection that another one announced (IPS_EXPECTED); policies
	// do not judge it.
	Related bool
}

// Family returns the family of the flow's addresses.
func (f *Flow) Family() ir.Family { return ir.FamilyOf(f.Dst.Addr()) }
