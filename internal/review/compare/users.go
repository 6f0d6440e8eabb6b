package compare

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// compareUsers reports pods that can no longer, or can now, use a port of a
// Service because its endpoints changed: policies judge the endpoint and its
// port. Changes by policies themselves are reported elsewhere.
func (c *serviceComparison) compareUsers(name objects.Name, port ir.ServicePort, before, after []netip.AddrPort) {
	// The old policies' answer for the new endpoints, as far as they knew them,
	// separates a change of endpoints from a change of policies.
	known := c.before.known(after)
	var lost, won []*entity
	for _, class := range c.classes {
		e := class[0]
		if e.role != podRole {
			continue
		}
		was, is := c.before.uses(&e.before, before, port.Protocol), c.after.uses(&e.after, after, port.Protocol)
		would := c.before.uses(&e.before, known, port.Protocol)
		switch {
		case was && !is && !would:
			lost = append(lost, class...)
		case !was && is && (would || len(known) == 0):
			won = append(won, class...)
		}
	}
	because := c.becauseOfSlices(name)
	if len(lost) > 0 {
		f := c.add(name, diffreport.Closed, append(because, c.refuser(lost[0], after, port)...), "Service %v can no longer be used from %s: policies refuse port %s of its endpoints", name, negate(c.describe(lost, nil)), portsOf(after))
		f.Urgent, f.From, f.Ports = true, c.labels(lost), fmt.Sprintf("%s/%v", portsOf(after), port.Protocol)
	}
	if len(won) > 0 {
		f := c.add(name, diffreport.Opened, because, "Service %v can now be used from %s: policies allow port %s of its endpoints", name, c.describe(won, nil), portsOf(after))
		f.From, f.Ports = c.labels(won), fmt.Sprintf("%s/%v", portsOf(after), port.Protocol)
	}
}

// known returns the endpoints that are pods of this state.
func (x *side) known(list []netip.AddrPort) []netip.AddrPort {
	var out []netip.AddrPort
	for _, a := range list {
		if x.state.Network.Owner(a.Addr()).Pod {
			out = append(out, a)
		}
	}
	return out
}

// uses reports whether policies let a pod reach any of the endpoints.
func (x *side) uses(e *clusterwide.Ends, list []netip.AddrPort, proto ir.Protocol) bool {
	for _, a := range list {
		src, ok := e.Addresses[ir.FamilyOf(a.Addr())]
		if ok && x.Allowed(ir.Egress, src, a.Addr()).Contains(proto, a.Port()) && x.Allowed(ir.Ingress, a.Addr(), src).Contains(proto, a.Port()) {
			return true
		}
	}
	return false
}

// refuser returns the policy that denies the first endpoint to a pod.
func (c *serviceComparison) refuser(e *entity, list []netip.AddrPort, port ir.ServicePort) []diffreport.Reason {
	for _, a := range list {
		src, ok := e.after.Addresses[ir.FamilyOf(a.Addr())]
		if !ok {
			continue
		}
		for _, end := range []struct {
			direction ir.Direction
			pod, peer netip.Addr
		}{{ir.Egress, src, a.Addr()}, {ir.Ingress, a.Addr(), src}} {
			d := c.after.Decide(end.direction, end.pod, end.peer, eval.Transport{Protocol: port.Protocol, Port: a.Port()})
			if o := d.Origin(); !d.Accept && o.Kind != "" {
				return []diffreport.Reason{{Text: fmt.Sprintf("%s does not let it through", o.Object()), Origin: o}}
			}
		}
	}
	return nil
}
