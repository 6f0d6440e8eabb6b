package netpath

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// decision is what policies of one direction of a pod decide about an endpoint.
type decision struct {
	eval.Decision
	direction ir.Direction
	pod       string // the pod whose policies they are
	policies  *clusterwide.Policies
	own, peer netip.Addr
	protocol  ir.Protocol
	port      uint16
}

// decisions returns what policies decide on the way to an endpoint, of pods that some
// policy selects in the direction.
func (o *Outcome) decisions(to netip.AddrPort) []decision {
	var out []decision
	for i := range o.Hops {
		h := &o.Hops[i]
		if h.Packet.From == eval.FromNode || o.network.Program(h.Node) == nil {
			continue
		}
		v := o.network.node(h.Node)
		x := v.reasons()
		for _, d := range []decision{
			{direction: ir.Egress, own: h.Packet.Src, peer: to.Addr()},
			{direction: ir.Ingress, own: to.Addr(), peer: h.Packet.Src},
		} {
			local := o.network.owners[d.own]
			if len(x.Tiers(d.direction, d.own)) == 0 || !local.Pod || local.Node != h.Node || d.direction == ir.Egress && h.Packet.From != eval.FromPod {
				continue
			}
			if d.direction == ir.Ingress && eval.New(v.program).IsNodeAddress(d.peer) {
				continue
			}
			d.Decision = x.Decide(d.direction, d.own, d.peer, h.Packet.Transport(to.Port()))
			d.pod, d.policies, d.protocol, d.port = local.Namespace+"/"+local.Name, x, h.Packet.Protocol, to.Port()
			out = append(out, d)
		}
	}
	return out
}

// nearest names the rule that comes closest to a packet that none matches: one for the
// same peer and other ports, or else one for the same port and other peers.
func (d *decision) nearest() string {
	var ports clusterwide.Ports
	var near *ir.Rule
	for _, p := range d.policies.Why(d.direction, d.own, d.peer) {
		if p.Accept && p.Rule != nil {
			ports = ports.Union(p.Ports)
			if near == nil {
				near = p.Rule
			}
		}
	}
	if near != nil {
		return fmt.Sprintf("; the nearest, of %s, is for other ports: %v", place(near.Origin), ports)
	}
	for _, t := range d.policies.Tiers(d.direction, d.own) {
		for i := range t.Rules {
			r := &t.Rules[i]
			if r.Action != ir.Accept {
				continue
			}
			for _, p := range r.Ports {
				if p.Contains(d.protocol, d.port) {
					return fmt.Sprintf("; the nearest, of %s, is for other peers", place(r.Origin))
				}
			}
			if r.AnyPort {
				return fmt.Sprintf("; the nearest, of %s, is for other peers", place(r.Origin))
			}
		}
	}
	return ""
}
