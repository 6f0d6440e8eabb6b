package manifest

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
)

// withPools adds the kinds of pools of addresses.
func withPools(kinds []knownKind) []knownKind {
	return append(kinds,
		knownKind{ciliumv2.KindLoadBalancerIPPool, ciliumv2.Group, []string{ciliumv2.Version, ciliumv2.Alpha}, ""},
		knownKind{metallbv1beta1.KindIPAddressPool, metallbv1beta1.Group, []string{metallbv1beta1.Version}, ""},
	)
}

// isPool reports whether the kind is of pools of addresses.
func (t typeMeta) isPool() bool { return newPool(t) != nil }

// newPool returns a value of the Go type of a kind of pools, or nil.
func newPool(m typeMeta) any {
	switch group := m.group(); {
	case m.kind == ciliumv2.KindLoadBalancerIPPool && group == ciliumv2.Group:
		return ciliumv2.LoadBalancerIPPool{}
	case m.kind == metallbv1beta1.KindIPAddressPool && group == metallbv1beta1.Group:
		return metallbv1beta1.IPAddressPool{}
	}
	return nil
}

// pool decodes a pool of addresses.
func (d *decoder) pool(out *outcome, t *text, meta typeMeta) {
	switch meta.kind {
	case ciliumv2.KindLoadBalancerIPPool:
		readInto(d, out, t, meta.kind, &out.set.CiliumPools, clusterScoped, isSubdomain, (*decoder).ciliumPool)
	case metallbv1beta1.KindIPAddressPool:
		readInto(d, out, t, meta.kind, &out.set.MetalLBPools, namespaced, isSubdomain, (*decoder).metalLBPool)
	}
}

func (d *decoder) ciliumPool(p *ciliumv2.LoadBalancerIPPool) *ciliumv2.LoadBalancerIPPool {
	return &ciliumv2.LoadBalancerIPPool{ObjectMeta: d.meta(&p.ObjectMeta), Spec: p.Spec}
}

func (d *decoder) metalLBPool(p *metallbv1beta1.IPAddressPool) *metallbv1beta1.IPAddressPool {
	return &metallbv1beta1.IPAddressPool{ObjectMeta: d.meta(&p.ObjectMeta), Spec: p.Spec}
}

// balanced adds to a Service of type LoadBalancer what decides about its addresses, and is
// read by nothing else.
func (d *decoder) balanced(to, from *corev1.Service) {
	if _, was := objects.Allocated(from); from.Spec.Type != corev1.ServiceTypeLoadBalancer && !was {
		return
	}
	to.Spec.LoadBalancerIP, to.Spec.LoadBalancerClass = from.Spec.LoadBalancerIP, share(d.shared, from.Spec.LoadBalancerClass)
	for _, key := range objects.AddressAnnotations() {
		if value, there := from.Annotations[key]; there {
			metav1.SetMetaDataAnnotation(&to.ObjectMeta, key, value)
		}
	}
	for _, c := range from.Status.Conditions {
		if c.Type == objects.AllocatedCondition {
			to.Status.Conditions = []metav1.Condition{c}
		}
	}
}
