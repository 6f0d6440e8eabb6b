package metallbv1beta1

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/planec/planec/compiler/objects/listed"
)

// The group of MetalLB's objects, and the version of pools.
const (
	Group   = "metallb.io"
	Version = "v1beta1"
)

// KindIPAddressPool is the kind of pools.
const KindIPAddressPool = "IPAddressPool"

// IPAddressPool is a pool of addresses. It lies in MetalLB's own namespace and is for
// Services of all namespaces. Source: api/v1beta1/ipaddresspool_types.go.
type IPAddressPool struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              IPAddressPoolSpec `json:"spec"`
	Status            map[string]any    `json:"status,omitempty"` // is not read
}

// IPAddressPoolSpec has the addresses and who may have them.
type IPAddressPoolSpec struct {
	// Addresses are networks, "192.0.2.0/24", and ranges, "192.0.2.10-192.0.2.20".
	Addresses []string `json:"addresses"`
	// AutoAssign is false where only Services that ask for the pool, or for an address of
	// it, get one; nil is true.
	AutoAssign *bool `json:"autoAssign,omitempty"`
	// AvoidBuggyIPs leaves out IPv4 addresses that end in .0 and .255.
	AvoidBuggyIPs bool `json:"avoidBuggyIPs,omitempty"`
	// AllocateTo keeps the pool for some Services; nil is all.
	AllocateTo *ServiceAllocation `json:"serviceAllocation,omitempty"`
}

// ServiceAllocation says which Services a pool is for. Namespaces and their selectors are
// one condition, selectors of Services another; an empty one holds for all.
type ServiceAllocation struct {
	// Priority orders the pools that select a Service, the lowest first; 0 is after all
	// others.
	Priority           int                    `json:"priority,omitempty"`
	Namespaces         []string               `json:"namespaces,omitempty"`         // names of namespaces
	NamespaceSelectors []metav1.LabelSelector `json:"namespaceSelectors,omitempty"` // of labels of namespaces, one of which must match
	ServiceSelectors   []metav1.LabelSelector `json:"serviceSelectors,omitempty"`   // of labels of Services, one of which must match
}

// DeepCopyObject implements runtime.Object.
func (p *IPAddressPool) DeepCopyObject() runtime.Object {
	out := &IPAddressPool{TypeMeta: p.TypeMeta, Spec: p.Spec, Status: runtime.DeepCopyJSON(p.Status)}
	p.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.Addresses = slices.Clone(p.Spec.Addresses)
	if p.Spec.AutoAssign != nil {
		out.Spec.AutoAssign = new(*p.Spec.AutoAssign)
	}
	out.Spec.AllocateTo = p.Spec.AllocateTo.deepCopy()
	return out
}

func (a *ServiceAllocation) deepCopy() *ServiceAllocation {
	if a == nil {
		return nil
	}
	return &ServiceAllocation{
		Priority: a.Priority, Namespaces: slices.Clone(a.Namespaces),
		NamespaceSelectors: copied(a.NamespaceSelectors), ServiceSelectors: copied(a.ServiceSelectors),
	}
}

func copied(from []metav1.LabelSelector) []metav1.LabelSelector {
	out := slices.Clone(from)
	for i := range out {
		from[i].DeepCopyInto(&out[i])
	}
	return out
}

// AddToScheme registers the kinds and their lists in versions of the group.
func AddToScheme(s *runtime.Scheme, versions ...schema.GroupVersion) {
	listed.AddToScheme(s, versions, listed.Of[IPAddressPool](KindIPAddressPool), listed.Of[L2Advertisement](KindL2Advertisement),
		listed.Of[BGPPeer](KindBGPPeer), listed.Of[BGPAdvertisement](KindBGPAdvertisement), listed.Of[Community](KindCommunity), listed.Of[BFDProfile](KindBFDProfile))
}
