package conntrack

import (
	"net/netip"

	"github.com/planec/planec/ir"
)

// Flow is a tracked connection. Ports are 0 where the protocol has none.
type Flow struct {
	Protocol ir.Protocol // TCP, UDP, SCTP or another
	// Src and Dst are those of the first packet as it came in.
	Src, Dst netip.AddrPort
	// ReplySrc is who answers: the destination after DNAT. ReplyDst is whom the
	// answer is sent to: the source after masquerading.
	ReplySrc, ReplyDst netip.AddrPort
	// SrcOwn and DstOwn say that Src or Dst is one of the node's own addresses.
	SrcOwn, DstOwn bool
	// Related is a connection that another one announced (IPS_EXPECTED), which
	// no policy judges.
	Related bool
}

// Family returns the family of the flow's addresses.
func (f *Flow) Family() ir.Family { return ir.FamilyOf(f.Dst.Addr()) }
