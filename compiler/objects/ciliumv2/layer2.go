package ciliumv2

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// KindL2AnnouncementPolicy is the kind that says which Services are announced on layer 2. It
// is in v2alpha1.
const KindL2AnnouncementPolicy = "CiliumL2AnnouncementPolicy"

// ClassL2 is the loadBalancerClass of Services that only such a policy may announce.
const ClassL2 = "io.cilium/l2-announcer"

// L2AnnouncementPolicy has addresses of Services announced by ARP and NDP. Source:
// pkg/k8s/apis/cilium.io/v2alpha1/l2announcement_types.go.
type L2AnnouncementPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              L2AnnouncementPolicySpec `json:"spec"`
	Status            map[string]any           `json:"status,omitempty"` // is not read
}

// L2AnnouncementPolicySpec says what is announced, and by whom.
type L2AnnouncementPolicySpec struct {
	// ServiceSelector selects Services by their labels and by [ServiceNamespaceKey] and
	// [ServiceNameKey]; nil selects all.
	ServiceSelector *metav1.LabelSelector `json:"serviceSelector,omitempty"`
	NodeSelector    *metav1.LabelSelector `json:"nodeSelector,omitempty"` // the nodes that may announce; nil is all
	// Interfaces are regular expressions of names of interfaces (RE2); none are all.
	Interfaces      []string `json:"interfaces,omitempty"`
	ExternalIPs     bool     `json:"externalIPs,omitempty"`     // announce externalIPs
	LoadBalancerIPs bool     `json:"loadBalancerIPs,omitempty"` // announce addresses of the status
}

// DeepCopyObject implements runtime.Object.
func (p *L2AnnouncementPolicy) DeepCopyObject() runtime.Object {
	out := &L2AnnouncementPolicy{TypeMeta: p.TypeMeta, Spec: *copied(&p.Spec), Status: *copied(&p.Status)}
	p.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}
