package objects

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Entry is an object that leads requests from outside to Services: an Ingress, a route of
// the Gateway API or a Route of OpenShift. The compiler ignores entries, because a
// controller's pods carry the packets; internal/review/connectivity shows them.
type Entry struct {
	metav1.ObjectMeta
	// Kind is Ingress, Route, HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute, and
	// Group its API group.
	Kind, Group string
	// Gateways are the parents of a route of the Gateway API.
	Gateways []Name
	Backends []EntryBackend // in the order of the object
}

// EntryBackend is one Service that an entry names.
type EntryBackend struct {
	Service Name // of the entry's namespace, unless it names another one
	// Port is the number or the name of the Service's port; zero is every port.
	Port intstr.IntOrString
	// Target reports that the number is the endpoints' and not the Service's.
	Target bool
	Path   string // the field that names it, as in "spec.rules[0].backendRefs[1]"
}

// Names reports whether a backend means a port of its Service. A number of endpoints means
// every port: which one it is, only the endpoints tell.
func (b *EntryBackend) Names(p *corev1.ServicePort) bool {
	switch {
	case b.Port == intstr.IntOrString{}:
		return true
	case b.Port.Type == intstr.String:
		return b.Port.StrVal == p.Name || b.Target && p.TargetPort == b.Port
	case b.Target:
		return true
	}
	return p.Port == b.Port.IntVal
}

// Astray is a backend of an entry that leads nowhere: the set has no such Service, or the
// Service has no such port.
type Astray struct {
	Entry   Sourced[*Entry]
	Backend EntryBackend
	// Service is the one that lacks the port, or nil if the set has no such Service.
	Service *corev1.Service
}

// Astray returns the backends of entries that lead nowhere, in the order of the entries'
// places.
func (s *Set) Astray() []Astray {
	if len(s.Entries) == 0 {
		return nil
	}
	services := make(map[Name]*corev1.Service, len(s.Services))
	for _, src := range slices.SortedFunc(slices.Values(s.Services), CompareFirst) {
		if name := NameOf(src.Object); services[name] == nil {
			services[name] = src.Object
		}
	}
	var out []Astray
	for _, src := range slices.SortedFunc(slices.Values(s.Entries), CompareFirst) {
		for _, b := range src.Object.Backends {
			svc := services[b.Service]
			if svc == nil || lacks(svc, &b) {
				out = append(out, Astray{src, b, svc})
			}
		}
	}
	return out
}

// lacks reports whether a Service has ports, and not the one that a backend means. One of
// type ExternalName needs none.
func lacks(svc *corev1.Service, b *EntryBackend) bool {
	return svc.Spec.Type != corev1.ServiceTypeExternalName && len(svc.Spec.Ports) > 0 &&
		!slices.ContainsFunc(svc.Spec.Ports, func(p corev1.ServicePort) bool { return b.Names(&p) })
}
