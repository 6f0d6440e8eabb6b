package ciliumv2

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// NetworkPolicyList is what an API server answers to a list.
type NetworkPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []NetworkPolicy `json:"items"`
}

// ClusterwideNetworkPolicyList is what an API server answers to a list.
type ClusterwideNetworkPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []ClusterwideNetworkPolicy `json:"items"`
}

// CIDRGroupList is what an API server answers to a list.
type CIDRGroupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []CIDRGroup `json:"items"`
}

// DeepCopyObject implements runtime.Object.
func (l *NetworkPolicyList) DeepCopyObject() runtime.Object { return copied(l) }

// DeepCopyObject implements runtime.Object.
func (l *ClusterwideNetworkPolicyList) DeepCopyObject() runtime.Object { return copied(l) }

// DeepCopyObject implements runtime.Object.
func (l *CIDRGroupList) DeepCopyObject() runtime.Object { return copied(l) }

// AddToScheme registers the kinds in versions of the group.
func AddToScheme(s *runtime.Scheme, versions ...schema.GroupVersion) {
	for _, gv := range versions {
		for kind, object := range map[string]runtime.Object{
			KindNetworkPolicy: &NetworkPolicy{}, KindNetworkPolicy + "List": &NetworkPolicyList{},
			KindClusterwideNetworkPolicy: &ClusterwideNetworkPolicy{}, KindClusterwideNetworkPolicy + "List": &ClusterwideNetworkPolicyList{},
			KindCIDRGroup: &CIDRGroup{}, KindCIDRGroup + "List": &CIDRGroupList{},
		} {
			s.AddKnownTypeWithName(gv.WithKind(kind), object)
		}
		metav1.AddToGroupVersion(s, gv)
	}
}
