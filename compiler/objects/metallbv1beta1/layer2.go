package metallbv1beta1

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// KindL2Advertisement is the kind that says which pools are announced on layer 2.
const KindL2Advertisement = "L2Advertisement"

// L2Advertisement has addresses of pools announced by ARP and NDP. Source:
// api/v1beta1/l2advertisement_types.go.
type L2Advertisement struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              L2AdvertisementSpec `json:"spec"`
	Status            map[string]any      `json:"status,omitempty"` // is not read
}

// L2AdvertisementSpec says what is announced, and by whom.
type L2AdvertisementSpec struct {
	// IPAddressPools are names of pools in the namespace of the object. With
	// IPAddressPoolSelectors they are all pools that either names; both empty are all.
	IPAddressPools         []string               `json:"ipAddressPools,omitempty"`
	IPAddressPoolSelectors []metav1.LabelSelector `json:"ipAddressPoolSelectors,omitempty"`
	// NodeSelectors select the nodes that may announce, by one of them; none are all.
	NodeSelectors []metav1.LabelSelector `json:"nodeSelectors,omitempty"`
	// Interfaces are names of interfaces; none are all.
	Interfaces []string `json:"interfaces,omitempty"`
}

// DeepCopyObject implements runtime.Object.
func (a *L2Advertisement) DeepCopyObject() runtime.Object {
	out := &L2Advertisement{TypeMeta: a.TypeMeta, Status: runtime.DeepCopyJSON(a.Status), Spec: L2AdvertisementSpec{
		IPAddressPools: slices.Clone(a.Spec.IPAddressPools), IPAddressPoolSelectors: copied(a.Spec.IPAddressPoolSelectors),
		NodeSelectors: copied(a.Spec.NodeSelectors), Interfaces: slices.Clone(a.Spec.Interfaces),
	}}
	a.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}
