package policy

import (
	"fmt"
	"net/netip"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy/validate"
	"github.com/planec/planec/ir"
)

// networkPolicy compiles a NetworkPolicy after validation and defaulting. It
// only accepts; it denies what it isolates and does not accept. An empty list
// equals a missing one: without rules it accepts nothing, without peers a rule
// matches every peer, and without ports every packet.
func (x *peers) networkPolicy(src objects.Sourced[*networkingv1.NetworkPolicy]) *policy {
	spec := &src.Object.Spec
	p := &policy{
		kind: "networkpolicy", tier: ir.NetworkTier,
		subject:  podSelector{own: src.Object.Namespace, pods: newSelector(&spec.PodSelector)},
		isolates: make(map[ir.Direction]bool), rules: make(map[ir.Direction][]rule),
		origin: objects.Origin("NetworkPolicy", src),
	}
	for _, t := range spec.PolicyTypes {
		switch t {
		case networkingv1.PolicyTypeIngress:
			p.isolates[ir.Ingress] = true
		case networkingv1.PolicyTypeEgress:
			p.isolates[ir.Egress] = true
		}
	}
	if p.isolates[ir.Ingress] {
		for i := range spec.Ingress {
			p.accept(x, ir.Ingress, i, spec.Ingress[i].From, spec.Ingress[i].Ports)
		}
	}
	if p.isolates[ir.Egress] {
		for i := range spec.Egress {
			p.accept(x, ir.Egress, i, spec.Egress[i].To, spec.Egress[i].Ports)
		}
	}
	return p
}

func (p *policy) accept(x *peers, d ir.Direction, i int, from []networkingv1.NetworkPolicyPeer, on []networkingv1.NetworkPolicyPort) {
	r := rule{action: ir.Accept, anyPeer: len(from) == 0, origin: p.origin.At(fmt.Sprintf("spec.%v[%d]", d, i))}
	for j := range from {
		r.peers = append(r.peers, x.networkPolicyPeer(p.origin.Namespace, &from[j]))
	}
	r.ports.any = len(on) == 0
	for j := range on {
		r.ports.add(j, &on[j])
	}
	p.rules[d] = append(p.rules[d], r)
}

func (x *peers) networkPolicyPeer(own string, from *networkingv1.NetworkPolicyPeer) *peer {
	if b := from.IPBlock; b != nil {
		return x.ofNetwork(cidr(b.CIDR), cidrs(b.Except))
	}
	s := podSelector{own: own, pods: newSelector(from.PodSelector)}
	if from.NamespaceSelector != nil {
		s.own, s.namespaces = "", newSelector(from.NamespaceSelector)
	}
	return x.ofPods(s)
}

func (p *ports) add(place int, port *networkingv1.NetworkPolicyPort) {
	proto := ir.TCP
	if port.Protocol != nil {
		proto, _ = ir.ParseProtocol(string(*port.Protocol))
	}
	switch {
	case port.Port == nil:
		p.ranges, p.places = append(p.ranges, everyPort(proto)), append(p.places, place)
	case port.Port.Type == intstr.String:
		p.named = append(p.named, namedPort{port.Port.StrVal, proto})
	default:
		r := ir.PortRange{Protocol: proto, First: uint16(port.Port.IntVal), Last: uint16(port.Port.IntVal)}
		if port.EndPort != nil {
			r.Last = uint16(*port.EndPort)
		}
		p.ranges, p.places = append(p.ranges, r), append(p.places, place)
	}
}

// cidr parses a CIDR that validation has accepted, as Kubernetes does.
func cidr(s string) netip.Prefix {
	p, ok := validate.ParseCIDR(s)
	if !ok {
		// This is unreachable; if it is ever reached, it must admit no peer.
		return netip.PrefixFrom(netip.IPv6Unspecified(), 128)
	}
	return p
}

func cidrs(list []string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, cidr(s))
	}
	return out
}
