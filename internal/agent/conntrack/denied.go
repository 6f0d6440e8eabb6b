package conntrack

import (
	"net/netip"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Denied returns a function that reports whether the program's policies would
// refuse a flow: the egress policies of the source, then the ingress policies of
// the answering endpoint, with the addresses after DNAT and before masquerading.
func Denied(p *ir.Program) func(*Flow) bool {
	if len(p.Policy.Profiles) == 0 {
		return func(*Flow) bool { return false }
	}
	e := eval.New(p)
	return func(f *Flow) bool {
		// Policies judge neither related flows nor flows that the node itself sends
		// or that come from its own addresses.
		if f.Related || f.SrcOwn || e.IsNodeAddress(f.Src.Addr()) {
			return false
		}
		src, dst := f.Src.Addr(), f.ReplySrc
		refuses := func(d ir.Direction, pod, peer netip.Addr) bool {
			decision, _ := e.Judge(d, pod, peer, f.Protocol, dst.Port())
			return !decision.Accept
		}
		return refuses(ir.Egress, src, dst.Addr()) || refuses(ir.Ingress, dst.Addr(), src)
	}
}
