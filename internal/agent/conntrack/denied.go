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
			decision, _ := e.Judge(d, pod, peer, eval.Transport{Protocol: f.Protocol, Port: dst.Port(), SourcePort: f.Src.Port()})
			return !decision.Accept
		}
		return refuses(ir.Egress, src, dst.Addr()) || refuses(ir.Ingress, dst.Addr(), src)
	}
}

// DeniedEnds returns a function that reports the same of a connection as programs at the
// interfaces of pods know it: its client, its server and the protocol's number. One to an
// address of a Service is its server's to judge, which has another address.
func DeniedEnds(p *ir.Program) func(client, server netip.AddrPort, protocol uint8) bool {
	denied, e := Denied(p), eval.New(p)
	services := make(map[netip.Addr]bool)
	for i := range p.Frontends {
		services[p.Frontends[i].Match.Address] = true
	}
	return func(client, server netip.AddrPort, number uint8) bool {
		protocol := ir.Protocol(number) // both are IANA's numbers
		if !protocol.HasPorts() || services[server.Addr()] || e.IsNodeAddress(server.Addr()) {
			return false
		}
		return denied(&Flow{Src: client, ReplySrc: server, Protocol: protocol})
	}
}
