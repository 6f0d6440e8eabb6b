package lint

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// slicesOf reports what a Service has and its slices lack.
func (l *linter) slicesOf(s sourced) {
	o := s.Object
	at := objects.Origin("Service", s)
	if o.Spec.ClusterIP == corev1.ClusterIPNone {
		return // no proxy uses it
	}
	of := l.slices[objects.NameOf(o)]
	if len(of) == 0 {
		// If only the API server's slices are given, the others are made elsewhere.
		given := len(l.set.EndpointSlices) - len(l.slices[objects.Name{Namespace: corev1.NamespaceDefault, Name: "kubernetes"}])
		if len(o.Spec.Selector) == 0 && given > 0 {
			l.diags.Add(diag.NothingBehind, at, "no selector, and no EndpointSlice has its name")
		}
		return
	}
	l.slicePorts(s, of)
	l.familiesWithout(s, of)
}

// slicePorts reports endpoints that match no port of the Service: ports are matched
// by name and protocol.
func (l *linter) slicePorts(s sourced, of []slice) {
	var theirs []string
	for _, e := range of {
		for _, p := range e.Object.Ports {
			if len(e.Object.Endpoints) == 0 {
				continue
			}
			port, proto := "", corev1.ProtocolTCP
			if p.Name != nil {
				port = *p.Name
			}
			if p.Protocol != nil {
				proto = *p.Protocol
			}
			for i := range s.Object.Spec.Ports {
				if own := &s.Object.Spec.Ports[i]; own.Name == port && cmp.Or(own.Protocol, corev1.ProtocolTCP) == proto {
					return
				}
			}
			theirs = append(theirs, fmt.Sprintf("%.40q/%.8s", port, proto))
		}
	}
	if len(theirs) == 0 || len(s.Object.Spec.Ports) == 0 {
		return
	}
	slices.Sort(theirs)
	theirs = slices.Compact(theirs)
	const most = 5
	own := s.Object.Spec.Ports[0]
	l.diags.Add(diag.NoSlicePort, objects.Origin("Service", s).At("spec.ports"),
		fmt.Sprintf("its slices have the ports %s, and none is called %.40q/%s", strings.Join(theirs[:min(len(theirs), most)], ", "), own.Name, cmp.Or(own.Protocol, corev1.ProtocolTCP)))
}

// familiesWithout reports a family in which a Service has an address but no endpoint,
// while it has endpoints in another family.
func (l *linter) familiesWithout(s sourced, of []slice) {
	filled := make(map[ir.Family]bool)
	for _, e := range of {
		if len(e.Object.Endpoints) > 0 {
			filled[map[bool]ir.Family{true: ir.IPv6, false: ir.IPv4}[e.Object.AddressType == discoveryv1.AddressTypeIPv6]] = true
		}
	}
	if len(filled) != 1 {
		return
	}
	for _, f := range ir.Families() {
		if !filled[f] && slices.Contains(familiesOf(&s.Object.Spec), f) {
			l.diags.Add(diag.FamilyWithoutEndpoints, objects.Origin("Service", s).At("spec.clusterIPs"), fmt.Sprintf("no slice has endpoints of %v", f))
		}
	}
}

// slice is an EndpointSlice.
type slice = objects.Sourced[*discoveryv1.EndpointSlice]

// endpointAddresses reports addresses of endpoints that probably do not work as
// meant: ClusterIPs, and all after the first of an endpoint.
func (l *linter) endpointAddresses() {
	clusterIPs := l.clusterIPs()
	for _, e := range l.set.EndpointSlices {
		at := objects.Origin("EndpointSlice", e)
		for i := range e.Object.Endpoints {
			list := e.Object.Endpoints[i].Addresses
			if len(list) > 1 {
				l.diags.Add(diag.FurtherAddresses, at.At(fmt.Sprintf("endpoints[%d].addresses[1]", i)), fmt.Sprintf("only %.45q of %d addresses is used", list[0], len(list)))
			}
			if len(list) == 0 {
				continue
			}
			if a, err := netip.ParseAddr(list[0]); err == nil && clusterIPs[a.Unmap()] != "" {
				l.diags.Add(diag.EndpointIsClusterIP, at.At(fmt.Sprintf("endpoints[%d].addresses[0]", i)), fmt.Sprintf("%v is the ClusterIP of %s", a.Unmap(), clusterIPs[a.Unmap()]))
			}
		}
	}
}

func (l *linter) clusterIPs() map[netip.Addr]string {
	out := make(map[netip.Addr]string)
	for _, s := range l.set.Services {
		for _, ip := range append([]string{s.Object.Spec.ClusterIP}, s.Object.Spec.ClusterIPs...) {
			if a, err := netip.ParseAddr(ip); err == nil {
				out[a.Unmap()] = objects.Origin("Service", s).Object()
			}
		}
	}
	return out
}

// healthPorts reports health check ports that are also a TCP nodePort, whose rules
// take the load balancer's checks.
func (l *linter) healthPorts() {
	nodePorts := make(map[int32]string)
	for _, s := range l.set.Services {
		for _, p := range s.Object.Spec.Ports {
			if p.NodePort != 0 && cmp.Or(p.Protocol, corev1.ProtocolTCP) == corev1.ProtocolTCP {
				nodePorts[p.NodePort] = objects.Origin("Service", s).Object()
			}
		}
	}
	for _, s := range l.set.Services {
		port := s.Object.Spec.HealthCheckNodePort
		if port != 0 && s.Object.Spec.Type == corev1.ServiceTypeLoadBalancer && nodePorts[port] != "" {
			l.diags.Add(diag.HealthPortIsNodePort, objects.Origin("Service", s).At("spec.healthCheckNodePort"), fmt.Sprintf("%d is a nodePort of %s", port, nodePorts[port]))
		}
	}
}

// outsideCIDRs reports pods and endpoints that the local detector takes for outside
// clients. cidrs are the ranges by which it recognises pods; if there are none, it
// uses another method.
func (l *linter) outsideCIDRs(cidrs []netip.Prefix) {
	if len(cidrs) == 0 {
		return
	}
	nodes := make(map[netip.Addr]bool)
	for _, n := range l.set.Nodes {
		for _, a := range objects.NodeIPs(n.Object, nil) {
			nodes[a] = true
		}
	}
	outside := func(ip string) bool {
		a, err := netip.ParseAddr(ip)
		a = a.Unmap()
		// A family without a range has no detector.
		return err == nil && !nodes[a] && len(ir.PrefixesOf(ir.FamilyOf(a), cidrs)) > 0 && !ir.ContainsAddr(cidrs, a)
	}
	for _, s := range l.set.Services {
		for _, e := range l.endpoints[objects.NameOf(s.Object)] {
			// An endpoint without a node is not a pod.
			if e.NodeName != nil && len(e.Addresses) > 0 && outside(e.Addresses[0]) {
				l.diags.Add(diag.OutsideClusterCIDR, objects.Origin("Service", s), fmt.Sprintf("its endpoint %s is outside of the cluster CIDR %s", e.Addresses[0], prefixes(cidrs)))
				break
			}
		}
	}
	for _, p := range l.set.Pods {
		if p.Object.Spec.HostNetwork || !outside(p.Object.Status.PodIP) {
			continue
		}
		l.diags.Add(diag.OutsideClusterCIDR, objects.Origin("Pod", p).At("status.podIP"), fmt.Sprintf("%s is outside of the cluster CIDR %s; other pods may be too", p.Object.Status.PodIP, prefixes(cidrs)))
		return
	}
}

func prefixes(list []netip.Prefix) string {
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = p.String()
	}
	return strings.Join(words, ", ")
}

// takenPorts reports node addresses that a Service uses with the port of
// another Service's endpoint: connections to that endpoint go astray.
func (l *linter) takenPorts() {
	type at struct {
		addr     netip.Addr
		protocol corev1.Protocol
		port     int32
	}
	of := make(map[at]objects.Name)
	for _, e := range l.set.EndpointSlices {
		for _, p := range e.Object.Ports {
			for _, endpoint := range e.Object.Endpoints {
				if p.Port == nil || len(endpoint.Addresses) == 0 {
					continue
				}
				proto := corev1.ProtocolTCP
				if p.Protocol != nil {
					proto = *p.Protocol
				}
				if a, err := netip.ParseAddr(endpoint.Addresses[0]); err == nil {
					of[at{a.Unmap(), proto, *p.Port}] = objects.ServiceOf(e.Object)
				}
			}
		}
	}
	for _, s := range l.set.Services {
		own := objects.NameOf(s.Object)
		check := func(path, ip string) {
			a, err := netip.ParseAddr(ip)
			if err != nil {
				return
			}
			for _, p := range s.Object.Spec.Ports {
				owner := of[at{a.Unmap(), cmp.Or(p.Protocol, corev1.ProtocolTCP), p.Port}]
				if owner != (objects.Name{}) && owner != own {
					l.diags.Add(diag.TakenEndpoint, objects.Origin("Service", s).At(path), fmt.Sprintf("%v:%d is an endpoint of Service %v", a.Unmap(), p.Port, owner))
				}
			}
		}
		for i, ip := range s.Object.Spec.ExternalIPs {
			check(fmt.Sprintf("spec.externalIPs[%d]", i), ip)
		}
		for i, ing := range s.Object.Status.LoadBalancer.Ingress {
			check(fmt.Sprintf("status.loadBalancer.ingress[%d].ip", i), ing.IP)
		}
	}
}
