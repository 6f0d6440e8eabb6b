package ipam

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// Settings are what objects do not say.
type Settings struct {
	// Classes are the values of spec.loadBalancerClass that are served, and [ClassNone] for
	// Services without one; nil is [DefaultClasses].
	Classes []string
	// Families are the cluster's, the first one for Services that name none; nil is both.
	Families []ir.Family
	// Held are addresses that an earlier result gave, as if the status had them and the
	// condition of planec.
	Held map[objects.Name][]netip.Addr
}

// ClassNone stands for Services without a class. It cannot be the name of one.
const ClassNone = "-"

// DefaultClasses returns the classes that Cilium's LB-IPAM serves, and none. A class that
// MetalLB serves is one of its flags.
func DefaultClasses() []string {
	return []string{ClassNone, "io.cilium/bgp-control-plane", "io.cilium/l2-announcer"}
}

// Serves reports whether a Service is of type LoadBalancer and of a class that is served.
func (s *Settings) Serves(o *corev1.Service) bool {
	if o.Spec.Type != corev1.ServiceTypeLoadBalancer {
		return false
	}
	class := ClassNone
	if o.Spec.LoadBalancerClass != nil {
		class = *o.Spec.LoadBalancerClass
	}
	classes := s.Classes
	if classes == nil {
		classes = DefaultClasses()
	}
	return slices.Contains(classes, class)
}

func (s *Settings) families() []ir.Family {
	if s.Families == nil {
		return ir.Families()
	}
	return s.Families
}
