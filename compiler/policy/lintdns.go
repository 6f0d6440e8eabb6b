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
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

const (
	portDNS = 53
	// portShiftDNS is the port of OpenShift's DNS pods.
	portShiftDNS = 5353
	// portAPI is the port of API servers (kubeadm's default).
	portAPI = 6443
	// shiftNamespace is the namespace of OpenShift's DNS.
	shiftNamespace = "openshift-dns"
)

// dnsNamespaces are the usual namespaces of a cluster's DNS.
var dnsNamespaces = []string{"kube-system", shiftNamespace}

// names describes the cluster's DNS, as far as the input contains it.
type names struct {
	// service is the cluster's DNS Service, or "" if the input has none.
	service string
	// at are its UDP endpoints. If there are none, ports are the ports on which
	// its pods may listen.
	at    []netip.AddrPort
	ports []uint16
	// answer are the endpoints' addresses.
	answer map[netip.Addr]bool
	// onNode reports that pods ask a cache on their own node (NodeLocal DNSCache).
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

// isDNS reports whether a Service is the DNS server that kubelets configure in pods.
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

// targetsDNS returns the ports on which pods of a DNS Service may listen. The number
// of a named port is unknown without the pods.
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

// dns reports pods that may connect to other pods, or should be able to query DNS,
// but cannot. Pods that may connect to nothing are isolated on purpose.
func (l *linter) dns() {
	mayAsk := l.judgedElsewhere()
	for _, p := range l.cluster {
		// Rules before an Accept rule of the Admin tier are ignored.
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

// judgedElsewhere returns the pods whose egress a policy of another dialect judges too:
// what NetworkPolicies alone say of it decides nothing.
func (l *linter) judgedElsewhere() map[*pod]bool {
	out := make(map[*pod]bool)
	for p, list := range l.dialects {
		if slices.ContainsFunc(list, func(q *clause.Policy) bool { return q.Egress.Affects() }) {
			out[p] = true
		}
	}
	return out
}

// answers reports whether the pod belongs to the cluster's DNS, which queries the name
// servers of its node.
func (l *linter) answers(p *pod) bool {
	return slices.ContainsFunc(p.addresses, func(a netip.Addr) bool { return l.names.answer[a] })
}

// unasked describes what pods may not do.
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

// each calls do for the pods of a policy, as long as work is left.
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

// reachesPods reports whether the rule needs DNS: the addresses of networks
// are written down, and pods are told the API server's.
func (r *rule) reachesPods() bool {
	if !r.ports.any && len(r.ports.named) == 0 && !slices.ContainsFunc(r.ports.ranges, func(p ir.PortRange) bool { return p.First != portAPI || p.Last != portAPI }) {
		return false
	}
	return r.anyPeer || slices.ContainsFunc(r.peers, func(p *peer) bool { return p.networks == nil })
}

// meansNames reports whether the rule was written to admit DNS queries.
func (r *rule) meansNames() bool {
	return slices.Contains(r.ports.ranges, ir.PortRange{Protocol: ir.UDP, First: portDNS, Last: portDNS})
}

// letsAsk reports whether the rule admits DNS queries, or may do so if the input does
// not tell their destination.
func (l *linter) letsAsk(r *rule) bool {
	switch {
	case l.names.onNode && l.asksNode(r):
		return true
	case len(l.names.at) > 0:
		return slices.ContainsFunc(l.names.at, func(to netip.AddrPort) bool { return l.letsTo(r, to) }) || l.asksResolver(r)
	}
	return l.mayBeDNS(r)
}

// letsTo reports whether the rule admits UDP to an endpoint of the DNS Service.
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
		return p.networks.InNetworks(to.Addr()) || l.Made[to.Addr()] && l.mayBePods(p.networks)
	})
}

// hold reports whether the ports contain a port of a protocol, on a pod or on none.
func (p *ports) hold(proto ir.Protocol, port uint16, on *pod) bool {
	within := func(r ir.PortRange) bool { return r.Contains(proto, port) }
	return p.any || slices.ContainsFunc(p.ranges, within) || on != nil && slices.ContainsFunc(p.named, func(n namedPort) bool {
		return slices.ContainsFunc(n.on(on), within)
	})
}

// mayBePods reports whether a block may contain the cluster's real pods, whose
// addresses differ from the made ones.
func (l *linter) mayBePods(s *ir.AddressSet) bool {
	block := s.Prefixes[0]
	return l.serviceBlock(block) == "" && slices.ContainsFunc(privateRanges(), func(p netip.Prefix) bool {
		return p.Bits() <= block.Bits() && p.Contains(block.Addr())
	})
}

// privateRanges are the ranges of RFC 1918, RFC 6598 and RFC 4193, from which
// clusters take pod addresses.
func privateRanges() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7"),
	}
}

// asksNode reports whether the rule lets pods query the cache on their node: at a
// link-local address, the node's own, or the DNS Service's, which the cache takes over.
func (l *linter) asksNode(r *rule) bool {
	if !r.ports.hold(ir.UDP, portDNS, nil) {
		return false
	}
	return r.anyPeer || slices.ContainsFunc(r.peers, func(p *peer) bool {
		return p.nodes != nil || p.networks != nil
	})
}

// asksResolver reports whether the rule was written for name servers outside of the
// cluster: UDP 53 at a few addresses.
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

// mayBeDNS reports whether the rule may admit DNS although the input does not contain
// its pods. A rule that names the port was written for DNS, unless its peer is a
// Service's address; other rules must cover a namespace of DNS.
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

// dns reports whether the ports contain one of the wanted UDP ports explicitly, and
// whether they do because they contain all ports.
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
		return true // nodes may be
	case p.pods.own != "":
		return p.pods.own == namespace
	}
	s := &p.pods.namespaces
	return !s.onlyAsks(corev1.LabelMetadataName) || s.Matches(labels.Set{corev1.LabelMetadataName: namespace})
}
