package policy

import (
	"cmp"
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

// Policies are evaluated after DNAT: for a connection to a Service they see the
// pod's address and port.

// behind indexes the Services and the pods behind them.
type behind struct {
	// addresses maps addresses to their Services.
	addresses map[netip.Addr]serviceAddress
	// clusterIPs are sorted.
	clusterIPs []netip.Addr
	// ports maps a pod to the Service ports that it serves.
	ports map[*pod][]servicePort
	// declared are the ports of the pods' containers.
	declared map[*pod][]onPort
	// seen caches the result for each selector.
	seen map[*peer]*listening
}

type serviceAddress struct {
	service *corev1.Service
	what    string
	// clusterIP reports that every port of the address belongs to the Service.
	clusterIP bool
}

// onPort is a port of a protocol.
type onPort struct {
	protocol ir.Protocol
	number   uint16
}

// servicePort is a port of a Service and the port of a pod behind it.
type servicePort struct {
	service        string
	port, nodePort onPort
	target         uint16
}

// listening describes the pods of a selector: the ports on which they listen, as far
// as the input tells, the ports of Services, and the families of addresses.
type listening struct {
	ports    map[onPort]bool
	services map[onPort]servicePort
	families map[ir.Family]bool
}

// readServices indexes the Services.
func (l *linter) readServices() {
	l.behind = behind{
		addresses: make(map[netip.Addr]serviceAddress), ports: make(map[*pod][]servicePort),
		declared: make(map[*pod][]onPort), seen: make(map[*peer]*listening),
	}
	for _, s := range l.Services {
		if s.Object.Spec.Type == corev1.ServiceTypeExternalName || s.Object.Spec.ClusterIP == corev1.ClusterIPNone {
			continue
		}
		l.readAddresses(s.Object)
	}
	for a, s := range l.behind.addresses {
		if s.clusterIP {
			l.behind.clusterIPs = append(l.behind.clusterIPs, a)
		}
	}
	slices.SortFunc(l.behind.clusterIPs, netip.Addr.Compare)
	l.readDeclared()
	for _, s := range l.Services {
		if len(s.Object.Spec.Selector) > 0 && s.Object.Spec.ClusterIP != corev1.ClusterIPNone && s.Object.Spec.Type != corev1.ServiceTypeExternalName {
			l.readPorts(s)
		}
	}
}

func (l *linter) readAddresses(s *corev1.Service) {
	add := func(ip, what string, clusterIP bool) {
		if a, err := netip.ParseAddr(ip); err == nil {
			if _, have := l.behind.addresses[a.Unmap()]; !have || clusterIP {
				l.behind.addresses[a.Unmap()] = serviceAddress{s, what, clusterIP}
			}
		}
	}
	for _, ip := range append([]string{s.Spec.ClusterIP}, s.Spec.ClusterIPs...) {
		add(ip, "the ClusterIP", true)
	}
	for _, ip := range s.Spec.ExternalIPs {
		add(ip, "an external IP", false)
	}
	for _, in := range s.Status.LoadBalancer.Ingress {
		if in.IPMode == nil || *in.IPMode == corev1.LoadBalancerIPModeVIP {
			add(in.IP, "a load-balancer address", false)
		}
	}
}

// readDeclared reads the ports of containers, including unnamed ones.
func (l *linter) readDeclared() {
	pods := make(map[objects.Name]*pod, len(l.cast.pods))
	for _, p := range l.cast.pods {
		pods[objects.Name{Namespace: p.namespace.name, Name: p.name}] = p
	}
	for _, src := range l.seen.pods {
		p := pods[objects.NameOf(src.Object)]
		if p == nil || l.behind.declared[p] != nil {
			continue
		}
		for _, c := range slices.Concat(src.Object.Spec.Containers, src.Object.Spec.InitContainers) {
			for _, port := range c.Ports {
				if proto, err := ir.ParseProtocol(string(cmp.Or(port.Protocol, corev1.ProtocolTCP))); err == nil && 0 < port.ContainerPort && port.ContainerPort < 65536 {
					l.behind.declared[p] = append(l.behind.declared[p], onPort{proto, uint16(port.ContainerPort)})
				}
			}
		}
	}
}

// readPorts records, for each pod behind a Service, the pod ports of the Service's ports.
func (l *linter) readPorts(s objects.Sourced[*corev1.Service]) {
	o := s.Object
	selector := podSelector{own: o.Namespace, pods: selector{Selector: labels.SelectorFromSet(o.Spec.Selector)}}
	for _, pod := range selector.find(l.cast) {
		for i := range o.Spec.Ports {
			p := &o.Spec.Ports[i]
			proto, err := ir.ParseProtocol(string(cmp.Or(p.Protocol, corev1.ProtocolTCP)))
			target := uint16(0)
			switch {
			case err != nil || p.Port < 1 || p.Port > 65535:
				continue
			case p.TargetPort.Type == intstr.String:
				if on := (namedPort{p.TargetPort.StrVal, proto}).on(pod); len(on) > 0 {
					target = on[0].First
				}
			case p.TargetPort.IntVal > 0 && p.TargetPort.IntVal < 65536:
				target = uint16(p.TargetPort.IntVal)
			case p.TargetPort.IntVal == 0:
				target = uint16(p.Port)
			}
			if target != 0 {
				l.behind.ports[pod] = append(l.behind.ports[pod], servicePort{
					objects.Origin("Service", s).Object(), onPort{proto, uint16(p.Port)}, onPort{proto, uint16(max(p.NodePort, 0))}, target,
				})
			}
		}
	}
}

// listens describes the pods of a selector.
func (l *linter) listens(p *peer) *listening {
	if have := l.behind.seen[p]; have != nil {
		return have
	}
	out := &listening{ports: make(map[onPort]bool), services: make(map[onPort]servicePort), families: make(map[ir.Family]bool)}
	l.behind.seen[p] = out
	p.resolve(l.cast)
	for _, pod := range p.found {
		for _, port := range l.behind.declared[pod] {
			out.ports[port] = true
		}
		for _, s := range l.behind.ports[pod] {
			out.ports[onPort{s.port.protocol, s.target}] = true
			for _, of := range []onPort{s.port, s.nodePort} {
				if have, known := out.services[of]; !known || s.service < have.service {
					out.services[of] = s
				}
			}
		}
		for _, a := range pod.addresses {
			out.families[ir.FamilyOf(a)] = true
		}
	}
	return out
}

// serviceAddresses reports blocks in rules that consist of Service addresses.
func (l *linter) serviceAddresses(p *policy, d ir.Direction, r *rule) {
	for i, peer := range r.peers {
		if peer.networks == nil {
			continue
		}
		at := p.peerPath(d, r, i)
		block := peer.networks.Prefixes[0]
		if what := l.serviceBlock(block); what != "" {
			l.diags.Add(diag.PolicyServiceIP, at, what)
			continue
		}
		if s, is := l.behind.addresses[block.Addr()]; is && block.IsSingleIP() && d == ir.Egress && !s.clusterIP && l.takes(s.service, r, block.Addr()) {
			l.diags.Add(diag.PolicyServiceIP, at, fmt.Sprintf("%v is %s of Service %s/%s", block.Addr(), s.what, s.service.Namespace, s.service.Name))
		}
		for _, e := range peer.networks.Except {
			if what := l.serviceBlock(e); what != "" {
				l.diags.Add(diag.PolicyServiceIP, at, "the exception "+what)
			}
		}
	}
}

// serviceBlock describes the Service of the addresses in a block, or "" if the block may
// contain others. A known range of ClusterIPs contains no others; a small block with
// ClusterIPs of the input, and without a pod or a node, counts as one.
func (l *linter) serviceBlock(block netip.Prefix) string {
	s, is := l.behind.addresses[block.Addr()]
	if is && s.clusterIP && block.IsSingleIP() {
		if l.names.onNode && isDNS(s.service) {
			return "" // this is the address of a DNS cache on the node
		}
		return fmt.Sprintf("%v is the ClusterIP of Service %s/%s", block.Addr(), s.service.Namespace, s.service.Name)
	}
	for _, c := range l.ServiceCIDRs {
		if c.Bits() <= block.Bits() && c.Contains(block.Addr()) {
			return fmt.Sprintf("%s lies in the range of ClusterIPs %v", blockText(block), c)
		}
	}
	// Clusters use ranges of 16 to 20 bits, and of 108 to 112.
	const v4, v6 = 16, 108
	if least := map[bool]int{true: v4, false: v6}[block.Addr().Is4()]; block.Bits() < least || len(l.cast.addresses) == 0 {
		return ""
	}
	i, _ := slices.BinarySearchFunc(l.behind.clusterIPs, block.Addr(), netip.Addr.Compare)
	j, _ := slices.BinarySearchFunc(l.cast.addresses, block.Addr(), netip.Addr.Compare)
	if i == len(l.behind.clusterIPs) || !block.Contains(l.behind.clusterIPs[i]) || j < len(l.cast.addresses) && block.Contains(l.cast.addresses[j]) {
		return ""
	}
	of := l.behind.addresses[l.behind.clusterIPs[i]].service
	return fmt.Sprintf("%v has ClusterIPs, as that of Service %s/%s, and no pod", block, of.Namespace, of.Name)
}

// blockText formats a block for a sentence.
func blockText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// takes reports whether a Service takes a packet that the rule matches, at an address
// that it may share with others.
func (l *linter) takes(s *corev1.Service, r *rule, a netip.Addr) bool {
	if _, taken := l.cast.indexOf[a]; taken {
		return false // other ports belong to the node or the pod
	}
	return slices.ContainsFunc(s.Spec.Ports, func(p corev1.ServicePort) bool {
		proto, err := ir.ParseProtocol(string(cmp.Or(p.Protocol, corev1.ProtocolTCP)))
		return err == nil && p.Port > 0 && p.Port < 65536 && r.ports.hold(proto, uint16(p.Port), nil)
	})
}

// servicePorts reports Service ports in a rule whose pods listen on other ports.
func (l *linter) servicePorts(p *policy, d ir.Direction, r *rule) {
	peers, known := l.destinations(p, d, r)
	if !known || slices.ContainsFunc(peers, (*peer).isEveryPod) {
		return // some of all pods may be in another repository
	}
	for i, ports := range r.ports.ranges {
		if ports.First != ports.Last || l.work.spent() {
			continue
		}
		of, on := (*servicePort)(nil), onPort{ports.Protocol, ports.First}
		for _, peer := range peers {
			has := l.listens(peer)
			if has.ports[on] {
				of = nil
				break
			}
			if s, is := has.services[on]; is {
				of = &s
			}
		}
		if of == nil {
			continue
		}
		at, what := r.origin, "port"
		if p.tier == ir.NetworkTier {
			at = at.At(fmt.Sprintf("%s.ports[%d]", r.origin.Path, r.ports.places[i]))
		}
		if of.nodePort == on {
			what = "nodePort"
		}
		l.diags.Add(diag.PolicyServicePort, at, fmt.Sprintf("%d/%s is the %s of %s, and its pods get it as %d", on.number, strings.ToLower(on.protocol.String()), what, of.service, of.target))
	}
}

// isEveryPod reports whether the peer contains all pods of all namespaces.
func (p *peer) isEveryPod() bool {
	return p.pods != nil && p.pods.own == "" && p.pods.namespaces.text == "*" && p.pods.pods.text == "*"
}

// families reports blocks of a family in which none of the rule's pods has an
// address: both addresses of a packet have one family.
func (l *linter) families(p *policy, d ir.Direction, r *rule) {
	has := l.listens(l.Model.peers.ofPods(p.subject)).families
	if len(has) != 1 {
		return // it selects no pod, or has both families
	}
	var idle []int
	for i, peer := range r.peers {
		if peer.networks != nil && !has[ir.FamilyOf(peer.networks.Prefixes[0].Addr())] {
			idle = append(idle, i)
		}
	}
	switch {
	case len(idle) == 0:
	case len(idle) == len(r.peers):
		l.diags.Add(diag.RuleOfNoFamily, r.origin, fmt.Sprintf("all of it is about %v, and its pods have no such address", ir.FamilyOf(r.peers[idle[0]].networks.Prefixes[0].Addr())))
	default:
		for _, i := range idle {
			block := r.peers[i].networks.Prefixes[0]
			l.diags.Add(diag.BlockOfNoFamily, p.peerPath(d, r, i), fmt.Sprintf("%v: its pods have no address of %v", block, ir.FamilyOf(block.Addr())))
		}
	}
}
