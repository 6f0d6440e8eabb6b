package testkit

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Flow is one connection to try.
type Flow struct {
	// From is where the packet enters the node. A pod flow's source becomes a
	// local pod of the rig, endpoint or not; an outside flow's source may be any
	// address but those of the node and its pods.
	From eval.Entry
	// Src may be left out with FromNode: the node's first address of the
	// family is bound then.
	Src, Dst netip.Addr
	Protocol ir.Protocol // TCP, UDP or SCTP
	// Port is the destination port. The source port is the kernel's choice.
	Port uint16
}

// Destination returns the flow's destination address and port.
func (f Flow) Destination() netip.AddrPort { return netip.AddrPortFrom(f.Dst, f.Port) }

// String returns "entry src -> dst:port/proto".
func (f Flow) String() string {
	src := "*"
	if f.Src.IsValid() {
		src = f.Src.String()
	}
	return fmt.Sprintf("%v %s -> %v/%v", f.From, src, f.Destination(), f.Protocol)
}
