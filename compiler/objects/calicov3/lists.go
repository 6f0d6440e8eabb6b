package calicov3

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

// GlobalNetworkPolicyList is what an API server answers to a list.
type GlobalNetworkPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []GlobalNetworkPolicy `json:"items"`
}

// TierList is what an API server answers to a list.
type TierList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []Tier `json:"items"`
}

// NetworkSetList is what an API server answers to a list.
type NetworkSetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []NetworkSet `json:"items"`
}

// GlobalNetworkSetList is what an API server answers to a list.
type GlobalNetworkSetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []GlobalNetworkSet `json:"items"`
}

// DeepCopyObject implements runtime.Object.
func (l *NetworkPolicyList) DeepCopyObject() runtime.Object {
	return &NetworkPolicyList{l.TypeMeta, *l.ListMeta.DeepCopy(), copiedItems(l.Items, func(p *NetworkPolicy) runtime.Object { return p.DeepCopyObject() })}
}

// DeepCopyObject implements runtime.Object.
func (l *GlobalNetworkPolicyList) DeepCopyObject() runtime.Object {
	return &GlobalNetworkPolicyList{l.TypeMeta, *l.ListMeta.DeepCopy(), copiedItems(l.Items, func(p *GlobalNetworkPolicy) runtime.Object { return p.DeepCopyObject() })}
}

// DeepCopyObject implements runtime.Object.
func (l *TierList) DeepCopyObject() runtime.Object {
	return &TierList{l.TypeMeta, *l.ListMeta.DeepCopy(), copiedItems(l.Items, func(t *Tier) runtime.Object { return t.DeepCopyObject() })}
}

// DeepCopyObject implements runtime.Object.
func (l *NetworkSetList) DeepCopyObject() runtime.Object {
	return &NetworkSetList{l.TypeMeta, *l.ListMeta.DeepCopy(), copiedItems(l.Items, func(s *NetworkSet) runtime.Object { return s.DeepCopyObject() })}
}

// DeepCopyObject implements runtime.Object.
func (l *GlobalNetworkSetList) DeepCopyObject() runtime.Object {
	return &GlobalNetworkSetList{l.TypeMeta, *l.ListMeta.DeepCopy(), copiedItems(l.Items, func(s *GlobalNetworkSet) runtime.Object { return s.DeepCopyObject() })}
}

// copiedItems copies a list, each item by its own copy, which has the item's type.
func copiedItems[T any](items []T, deepCopy func(*T) runtime.Object) []T {
	if items == nil {
		return nil
	}
	out := make([]T, len(items))
	for i := range items {
		out[i] = *any(deepCopy(&items[i])).(*T)
	}
	return out
}

// AddToScheme registers the kinds in a version of either group.
func AddToScheme(s *runtime.Scheme, groups ...schema.GroupVersion) {
	for _, gv := range groups {
		s.AddKnownTypes(gv,
			&NetworkPolicy{}, &NetworkPolicyList{}, &GlobalNetworkPolicy{}, &GlobalNetworkPolicyList{},
			&Tier{}, &TierList{}, &NetworkSet{}, &NetworkSetList{}, &GlobalNetworkSet{}, &GlobalNetworkSetList{})
		metav1.AddToGroupVersion(s, gv)
	}
}
