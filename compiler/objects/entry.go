package objects

import (
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
