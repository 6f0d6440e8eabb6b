package ciliumv2

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// KindLoadBalancerIPPool is the kind of pools of addresses for Services of type
// LoadBalancer. It has the same fields in v2 and v2alpha1.
const KindLoadBalancerIPPool = "CiliumLoadBalancerIPPool"

// The keys that a pool's selector may name beside the labels of a Service, and that
// Cilium adds to them (operator/pkg/lbipam/service_store.go).
const (
	ServiceNamespaceKey = "io.kubernetes.service.namespace"
	ServiceNameKey      = "io.kubernetes.service.name"
)

// LoadBalancerIPPool is a CiliumLoadBalancerIPPool: addresses for Services of the whole
// cluster. Source: pkg/k8s/apis/cilium.io/v2/lbipam_types.go.
type LoadBalancerIPPool struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              LoadBalancerIPPoolSpec `json:"spec"`
	Status            map[string]any         `json:"status,omitempty"` // is not read
}

// LoadBalancerIPPoolSpec has the addresses and who may have them.
type LoadBalancerIPPoolSpec struct {
	// ServiceSelector selects Services; nil selects all. A Service has its labels, and the
	// keys [ServiceNamespaceKey] and [ServiceNameKey].
	ServiceSelector *metav1.LabelSelector `json:"serviceSelector,omitempty"`
	// AllowFirstLastIPs is "No" where the first and the last address of each CIDR are
	// reserved, and "Yes" or "" where they are not.
	AllowFirstLastIPs string    `json:"allowFirstLastIPs,omitempty"`
	Blocks            []IPBlock `json:"blocks,omitempty"`
	// CIDRs is what v2alpha1 called Blocks until Cilium 1.15.
	CIDRs []IPBlock `json:"cidrs,omitempty"`
	// Disabled gives no address to a Service that has none. Services keep theirs.
	Disabled bool `json:"disabled,omitempty"`
}

// IPBlock is a network, or the addresses from Start to Stop; without Stop it is Start
// alone. A network counts where both are given.
type IPBlock struct {
	CIDR  string `json:"cidr,omitempty"`
	Start string `json:"start,omitempty"`
	Stop  string `json:"stop,omitempty"`
}

// DeepCopyObject implements runtime.Object.
func (p *LoadBalancerIPPool) DeepCopyObject() runtime.Object {
	out := &LoadBalancerIPPool{TypeMeta: p.TypeMeta, Spec: *copied(&p.Spec), Status: *copied(&p.Status)}
	p.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}
