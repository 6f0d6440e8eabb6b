package lint

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// holder is the other owner of an address that a Service lists.
type holder struct {
	code diag.Code
	what string
	// service is set if the address is a ClusterIP.
	service objects.Name
}

// addresses reports external IPs and load-balancer addresses that have another
// use: the API server does not check these.
func (l *linter) addresses(cidrs []netip.Prefix) {
	holders := l.holders()
	for _, s := range l.set.Services {
		for i, ip := range s.Object.Spec.ExternalIPs {
			l.address(s, fmt.Sprintf("spec.externalIPs[%d]", i), ip, holders, cidrs)
		}
		for i, ing := range s.Object.Status.LoadBalancer.Ingress {
			l.address(s, fmt.Sprintf("status.loadBalancer.ingress[%d].ip", i), ing.IP, holders, cidrs)
		}
	}
}

func (l *linter) address(s sourced, path, ip string, holders map[netip.Addr]holder, cidrs []netip.Prefix) {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return // the compiler reports it
	}
	a = a.Unmap()
	h, held := holders[a]
	switch {
	case held && h.service == objects.NameOf(s.Object):
	case held:
		l.diags.Add(h.code, objects.Origin("Service", s).At(path), fmt.Sprintf("%v is %s", a, h.what))
	case ir.ContainsAddr(cidrs, a):
		l.diags.Add(diag.VIPInServiceRange, objects.Origin("Service", s).At(path), fmt.Sprintf("%v lies in a range of ClusterIPs", a))
	}
}

// holders returns the addresses in use. If an address has several uses, the most
// important one counts.
func (l *linter) holders() map[netip.Addr]holder {
	out := make(map[netip.Addr]holder)
	add := func(ip string, h holder) {
		if a, err := netip.ParseAddr(ip); err == nil {
			if _, have := out[a.Unmap()]; !have {
				out[a.Unmap()] = h
			}
		}
	}
	for _, s := range l.set.Services {
		h := holder{diag.VIPOfService, "the ClusterIP of " + objects.Origin("Service", s).Object(), objects.NameOf(s.Object)}
		add(s.Object.Spec.ClusterIP, h)
		for _, ip := range s.Object.Spec.ClusterIPs {
			add(ip, h)
		}
	}
	for _, s := range l.set.EndpointSlices {
		if s.Object.Namespace == corev1.NamespaceDefault && s.Object.Labels[discoveryv1.LabelServiceName] == "kubernetes" {
			for _, e := range s.Object.Endpoints {
				for _, ip := range e.Addresses {
					add(ip, holder{code: diag.VIPOfAPIServer, what: "the API server's"})
				}
			}
		}
	}
	for _, n := range l.set.Nodes {
		for _, a := range n.Object.Status.Addresses {
			add(a.Address, holder{code: diag.VIPOfNode, what: "an address of Node " + n.Object.Name})
		}
	}
	for _, p := range l.set.Pods {
		if p.Object.Spec.HostNetwork || objects.Finished(p.Object) {
			continue
		}
		for _, ip := range p.Object.Status.PodIPs {
			add(ip.IP, holder{code: diag.VIPOfPod, what: "the address of Pod " + objects.NameOf(p.Object).String()})
		}
	}
	return out
}
