package compare

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/diffreport"
)

// changedObjects lists the objects that differ.
func changedObjects(before, after *objects.Set) []diffreport.Object {
	var out []diffreport.Object
	out = changedOf(out, "Service", before.Services, after.Services)
	out = changedOf(out, "EndpointSlice", before.EndpointSlices, after.EndpointSlices)
	out = changedOf(out, "Node", before.Nodes, after.Nodes)
	out = changedOf(out, "Pod", before.Pods, after.Pods)
	out = changedOf(out, "Namespace", written(before.Namespaces), written(after.Namespaces))
	out = changedOf(out, "ServiceCIDR", before.ServiceCIDRs, after.ServiceCIDRs)
	out = changedOf(out, "NetworkPolicy", before.NetworkPolicies, after.NetworkPolicies)
	out = changedOf(out, "ClusterNetworkPolicy", before.ClusterNetworkPolicies, after.ClusterNetworkPolicies)
	out = changedOf(out, "AdminNetworkPolicy", before.AdminNetworkPolicies, after.AdminNetworkPolicies)
	out = changedOf(out, "BaselineAdminNetworkPolicy", before.BaselineAdminNetworkPolicies, after.BaselineAdminNetworkPolicies)
	out = changedOf(out, objects.KindCalicoNetworkPolicy, before.CalicoNetworkPolicies, after.CalicoNetworkPolicies)
	out = changedOf(out, "GlobalNetworkPolicy", before.CalicoGlobalNetworkPolicies, after.CalicoGlobalNetworkPolicies)
	out = changedOf(out, "Tier", before.CalicoTiers, after.CalicoTiers)
	out = changedOf(out, "NetworkSet", before.CalicoNetworkSets, after.CalicoNetworkSets)
	out = changedOf(out, "GlobalNetworkSet", before.CalicoGlobalNetworkSets, after.CalicoGlobalNetworkSets)
	out = changedOf(out, "CiliumNetworkPolicy", before.CiliumNetworkPolicies, after.CiliumNetworkPolicies)
	out = changedOf(out, "CiliumClusterwideNetworkPolicy", before.CiliumClusterwideNetworkPolicies, after.CiliumClusterwideNetworkPolicies)
	out = changedOf(out, "CiliumCIDRGroup", before.CiliumCIDRGroups, after.CiliumCIDRGroups)
	out = changedOf(out, "ConfigMap", before.CiliumConfigs, after.CiliumConfigs)
	out = changedOf(out, "CiliumLoadBalancerIPPool", before.CiliumPools, after.CiliumPools)
	out = changedOf(out, "IPAddressPool", before.MetalLBPools, after.MetalLBPools)
	was := before.Announcing.Kinds()
	for i, is := range after.Announcing.Kinds() {
		out = changedOf(out, is.Kind, was[i].Objects, is.Objects)
	}
	return changedOf(out, "ServiceAccount", before.ServiceAccounts, after.ServiceAccounts)
}

// written returns the namespaces that package synth did not make.
func written(list []objects.Sourced[*corev1.Namespace]) []objects.Sourced[*corev1.Namespace] {
	return slices.DeleteFunc(slices.Clone(list), func(n objects.Sourced[*corev1.Namespace]) bool { return n.Object.Labels[syntheticLabel] != "" })
}

// changedOf compares the objects of one kind.
func changedOf[T metav1.Object](out []diffreport.Object, kind string, before, after []objects.Sourced[T]) []diffreport.Object {
	old, fresh := byName(before), byName(after)
	for n, is := range fresh {
		was, had := old[n]
		switch {
		case !had:
			out = append(out, diffreport.Object{Change: diffreport.ObjectAdded, Origin: objects.Origin(kind, is)})
		case !reflect.DeepEqual(was.Object, is.Object):
			if f := changedFields(was.Object, is.Object); len(f) > 0 {
				out = append(out, diffreport.Object{Change: diffreport.ObjectChanged, Origin: objects.Origin(kind, is), Fields: f})
			}
		}
	}
	for n, was := range old {
		if !has(fresh, n) {
			out = append(out, diffreport.Object{Change: diffreport.ObjectRemoved, Origin: objects.Origin(kind, was)})
		}
	}
	return out
}

// byName maps names to the objects of one kind. Of duplicates in a state it takes the
// one that the compiler uses; the compiler reports the other.
func byName[T metav1.Object](list []objects.Sourced[T]) map[objects.Name]objects.Sourced[T] {
	out := make(map[objects.Name]objects.Sourced[T], len(list))
	for _, o := range list {
		n := objects.NameOf(o.Object)
		if have, known := out[n]; !known || objects.CompareFirst(o, have) < 0 {
			out[n] = o
		}
	}
	return out
}

// changedFields compares the JSON forms of objects.
func changedFields(before, after any) []diffreport.Field {
	a, err := generic(before)
	if err != nil {
		return nil
	}
	b, err := generic(after)
	if err != nil {
		return nil
	}
	return compareValues("", a, b, nil)
}

func generic(o any) (any, error) {
	data, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("comparing objects: %w", err)
	}
	var v any
	err = json.Unmarshal(data, &v)
	return v, err
}
