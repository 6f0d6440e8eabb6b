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
	Protocol ir.Protocol // TCP, UDP or SCTP
	// Port is the destination port. The kernel selects the source port.
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
