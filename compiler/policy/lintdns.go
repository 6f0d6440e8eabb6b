package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

const (
	portDNS = 53
	// portShiftDNS is what OpenShift's DNS pods listen on.
	portShiftDNS = 5353
	// portAPI is the port of API servers (kubeadm's default).
	portAPI = 6443
	// shiftNamespace is where OpenShift has its DNS.
	shiftNamespace = "openshift-dns"
)

// dnsNamespaces is where clusters have their DNS.
var dnsNamespaces = []string{"kube-system", shiftNamespace}

// names is where the cluster's names are asked for, as far as the input says it.
type names struct {
	// service is the cluster's DNS Service, "" where the input has none.
	service string
	// at are its endpoints for UDP; without any, ports are those that its pods may
	// listen on.
	at    []netip.AddrPort
	ports []uint16
	// answer are the endpoints' addresses.
	answer map[netip.Addr]bool
	// onNode is whether pods ask on their own node (NodeLocal DNSCache).
	onNode bool
}

// readNames finds the cluster's DNS among the Services.
func (l *linter) readNames() {
	l.names = names{ports: []uint16{portDNS}, answer: make(map[netip.Addr]bool)}
	found, ports := make(map[objects.Name]bool), []uint16(nil)
	for _, s := range l.Services {
		if !isDNS(s.Object) {
			continue
		}
		if name := objects.Origin("Service", s).Object(); l.names.service == "" || name < l.names.service {
			l.names.service = name
		}
		found[objects.NameOf(s.Object)] = true
		ports = append(ports, targetsDNS(s.Object)...)
	}
	if len(ports) > 0 {
		l.names.ports = ports
	}
	for _, s := range l.Slices {
		if !found[objects.ServiceOf(s.Object)] {
			continue
		}
		for _, p := range s.Object.Ports {
			if p.Port == nil || p.Protocol == nil || *p.Protocol != corev1.ProtocolUDP || *p.Port < 1 || *p.Port > 65535 {
				continue
			}
			for _, e := range s.Object.Endpoints {
				if len(e.Addresses) == 0 {
					continue
				}
				if a, err := netip.ParseAddr(e.Addresses[0]); err == nil {
					l.names.at = append(l.names.at, netip.AddrPortFrom(a.Unmap(), uint16(*p.Port)))
					l.names.answer[a.Unmap()] = true
				}
			}
		}
	}
	for _, h := range l.seen.hosts {
		of := h.Object.Labels["k8s-app"] + " " + h.Object.Labels["app"] + " " + h.Object.Name
		l.names.onNode = l.names.onNode || strings.Contains(of, "node-local-dns") || strings.Contains(of, "nodelocaldns")
	}
}

// isDNS reports whether a Service is what kubelets tell pods to ask.
func isDNS(s *corev1.Service) bool {
	if !slices.ContainsFunc(s.Spec.Ports, asksNames) || s.Spec.ClusterIP == corev1.ClusterIPNone {
		return false
	}
	known := []string{"kube-dns", "coredns", "core-dns", "dns-default"}
	return slices.Contains(dnsNamespaces, s.Namespace) || slices.Contains(known, s.Name) ||
		slices.Contains(known, s.Labels["k8s-app"]) || s.Labels["app.kubernetes.io/name"] == "coredns"
}

func asksNames(p corev1.ServicePort) bool {
	return p.Port == portDNS && p.Protocol == corev1.ProtocolUDP
}

// targetsDNS are the ports that pods of a DNS Service listen on, or may: a name says
// nothing where its pods are not known.
func targetsDNS(s *corev1.Service) []uint16 {
	var out []uint16
	for _, p := range s.Spec.Ports {
		switch {
		case !asksNames(p):
		case p.TargetPort.Type == intstr.String:
			out = append(out, portDNS, portShiftDNS)
		case p.TargetPort.IntVal == 0:
			out = append(out, portDNS)
		case p.TargetPort.IntVal > 0 && p.TargetPort.IntVal < 65536:
			out = append(out, uint16(p.TargetPort.IntVal))
		}
	}
	return out
}

// dns reports pods that may connect to others, or are meant to ask for names, and can
// ask nothing. A pod that may connect to none is meant to be alone.
func (l *linter) dns() {
	mayAsk := make(map[*pod]bool)
	for _, p := range l.cluster {
		// Whatever comes before an Accept rule of the Admin tier.
		if p.tier == ir.AdminTier && slices.ContainsFunc(p.rules[ir.Egress], func(r rule) bool { return r.action == ir.Accept && l.letsAsk(&r) }) {
			l.each(p, func(pod *pod) { mayAsk[pod] = true })
		}
	}
	for _, n := range l.cast.namespaces {
		var open []*policy
		for _, p := range l.network[n.name] {
			rules := p.rules[ir.Egress]
			for i := range rules {
				if l.letsAsk(&rules[i]) {
					l.each(p, func(pod *pod) { mayAsk[pod] = true })
					break
				}
			}
			if slices.ContainsFunc(rules, func(r rule) bool { return r.reachesPods() || r.meansNames() }) {
				open = append(open, p)
			}
		}
		for _, p := range open {
			var blocked []string
			l.each(p, func(pod *pod) {
				if !mayAsk[pod] && !l.answers(pod) {
					blocked = append(blocked, pod.name)
				}
			})
			if len(blocked) > 0 {
				l.diags.Add(diag.BlocksDNS, p.origin.At("spec.egress"), l.names.unasked(blocked))
			}
		}
	}
}

// answers reports whether the pod is one of the cluster's DNS, which asks its node's name
// servers.
func (l *linter) answers(p *pod) bool {
	return slices.ContainsFunc(p.addresses, func(a netip.Addr) bool { return l.names.answer[a] })
}

// unasked says what pods may not do.
func (n *names) unasked(blocked []string) string {
	port, of := n.ports[0], ""
	if len(n.at) > 0 {
		port, of = n.at[0].Port(), ", where the pods of "+n.service+" listen"
	}
	pods := fmt.Sprintf("%d pods, as %s,", len(blocked), blocked[0])
	if len(blocked) == 1 {
		pods = "pod " + blocked[0]
	}
	return fmt.Sprintf("%s may not send UDP to port %d%s, by this policy or another", pods, port, of)
}

// each calls do with the pods that a policy applies to, as long as there is work left.
func (l *linter) each(p *policy, do func(*pod)) {
	subject := l.Model.peers.ofPods(p.subject)
	subject.resolve(l.cast)
	for _, pod := range subject.found {
		if l.work.spent() {
			return
		}
		do(pod)
	}
}

// reachesPods reports whether names are of use with the rule: a network has
// its addresses written down, and pods are told the API server's.
func (r *rule) reachesPods() bool {
	if !r.ports.any && len(r.ports.named) == 0 && !slices.ContainsFunc(r.ports.ranges, func(p ir.PortRange) bool { return p.First != portAPI || p.Last != portAPI }) {
		return false
	}
	return r.anyPeer || slices.ContainsFunc(r.peers, func(p *peer) bool { return p.networks == nil })
}

// meansNames reports whether the rule was written to let questions through.
func (r *rule) meansNames() bool {
	return slices.Contains(r.ports.ranges, ir.PortRange{Protocol: ir.UDP, First: portDNS, Last: portDNS})
}

// letsAsk reports whether the rule lets questions for names through, or may do so where
// the input does not say where they go.
func (l *linter) letsAsk(r *rule) bool {
	switch {
	case l.names.onNode && l.asksNode(r):
		return true
	case len(l.names.at) > 0:
		return slices.ContainsFunc(l.names.at, func(to netip.AddrPort) bool { return l.letsTo(r, to) }) || l.asksResolver(r)
	}
	return l.mayBeDNS(r)
}

// letsTo reports whether the rule lets UDP to an endpoint of the DNS Service through.
func (l *linter) letsTo(r *rule, to netip.AddrPort) bool {
	owner := l.owners[to.Addr()]
	if l.work.spent() || !r.ports.hold(ir.UDP, to.Port(), owner) {
		return false
	}
	return r.anyPeer || slices.ContainsFunc(r.peers, func(p *peer) bool {
		if l.work.spent() {
			return false
		}
		p.resolve(l.cast)
		if p.networks == nil {
			_, found := slices.BinarySearchFunc(p.set.Addresses, to.Addr(), netip.Addr.Compare)
			return found
		}
		return blockHolds(p.networks, to.Addr()) || l.Made[to.Addr()] && l.mayBePods(p.networks)
	})
}

// hold reports whether a port of a protocol on a pod, or on no pod, is among the ports.
func (p *ports) hold(proto ir.Protocol, port uint16, on *pod) bool {
	within := func(r ir.PortRange) bool { return r.Protocol == proto && r.First <= port && port <= r.Last }
	return p.any || slices.ContainsFunc(p.ranges, within) || on != nil && slices.ContainsFunc(p.named, func(n namedPort) bool {
		return slices.ContainsFunc(n.on(on), within)
	})
}

func blockHolds(s *ir.AddressSet, a netip.Addr) bool {
	return ir.ContainsAddr(s.Prefixes, a) && !ir.ContainsAddr(s.Except, a)
}

// mayBePods reports whether a block may be where the cluster has its pods, which are
// somewhere else than the made ones.
func (l *linter) mayBePods(s *ir.AddressSet) bool {
	block := s.Prefixes[0]
	return l.serviceBlock(block) == "" && slices.ContainsFunc(privateRanges(), func(p netip.Prefix) bool {
		return p.Bits() <= block.Bits() && p.Contains(block.Addr())
	})
}

// privateRanges are those of RFC 1918, RFC 6598 and RFC 4193, which clusters take
// addresses of pods from.
func privateRanges() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7"),
	}
}

// asksNode reports whether the rule lets pods ask the cache of their own node, at a
// link-local address, the node's own, or the DNS Service's, which the cache takes.
func (l *linter) asksNode(r *rule) bool {
	if !r.ports.hold(ir.UDP, portDNS, nil) {
		return false
	}
	return r.anyPeer || slices.ContainsFunc(r.peers, func(p *peer) bool {
		return p.nodes != nil || p.networks != nil
	})
}

// asksResolver reports whether the rule was written for name servers outside of the
// cluster: for UDP 53 at a few addresses.
func (l *linter) asksResolver(r *rule) bool {
	const few = 8 // bits
	return r.meansNames() && slices.ContainsFunc(r.peers, func(p *peer) bool {
		if p.networks == nil {
			return false
		}
		block := p.networks.Prefixes[0]
		return block.Addr().BitLen()-block.Bits() <= few && l.serviceBlock(block) == ""
	})
}

// mayBeDNS reports whether the rule could be what lets DNS through where the input
// does not hold its pods. A rule that names the port was written for it, whatever it
// names, unless that is a Service's address; others must reach a namespace where DNS is.
func (l *linter) mayBeDNS(r *rule) bool {
	named, every := r.ports.dns(l.names.ports)
	if !named && !every {
		shift, _ := r.ports.dns([]uint16{portShiftDNS})
		return shift && slices.ContainsFunc(r.peers, func(p *peer) bool { return p.mayBeIn(shiftNamespace) })
	}
	return r.anyPeer || slices.ContainsFunc(r.peers, func(p *peer) bool {
		if p.networks != nil {
			return l.serviceBlock(p.networks.Prefixes[0]) == ""
		}
		return named || slices.ContainsFunc(dnsNamespaces, p.mayBeIn)
	})
}

// dns says whether one of some ports of UDP is among the ports by itself, and whether
// one is because all are.
func (p *ports) dns(wanted []uint16) (named, every bool) {
	for _, r := range p.ranges {
		switch {
		case r.Protocol != ir.UDP || !slices.ContainsFunc(wanted, func(w uint16) bool { return r.First <= w && w <= r.Last }):
		case r.First <= 1 && r.Last == 65535:
			every = true
		default:
			named = true
		}
	}
	named = named || slices.ContainsFunc(p.named, func(n namedPort) bool {
		return n.protocol != ir.TCP && n.protocol != ir.SCTP && (strings.Contains(n.name, "dns") || strings.Contains(n.name, "domain"))
	})
	return named, every || p.any
}

// mayBeIn reports whether the peer may be in a namespace.
func (p *peer) mayBeIn(namespace string) bool {
	switch {
	case p.pods == nil:
		return true // nodes may well be it
	case p.pods.own != "":
		return p.pods.own == namespace
	}
	s := &p.pods.namespaces
	return !s.onlyAsks(corev1.LabelMetadataName) || s.Matches(labels.Set{corev1.LabelMetadataName: namespace})
}
