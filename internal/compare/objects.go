package compare

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/diffreport"
)

// changedObjects lists the objects that are not what they were.
func changedObjects(before, after *objects.Set) []diffreport.Object {
	var out []diffreport.Object
	out = changedOf(out, "Service", before.Services, after.Services)
	out = changedOf(out, "EndpointSlice", before.EndpointSlices, after.EndpointSlices)
	out = changedOf(out, "Node", before.Nodes, after.Nodes)
	out = changedOf(out, "Pod", before.Pods, after.Pods)
	out = changedOf(out, "Namespace", before.Namespaces, after.Namespaces)
	out = changedOf(out, "ServiceCIDR", before.ServiceCIDRs, after.ServiceCIDRs)
	out = changedOf(out, "NetworkPolicy", before.NetworkPolicies, after.NetworkPolicies)
	out = changedOf(out, "ClusterNetworkPolicy", before.ClusterNetworkPolicies, after.ClusterNetworkPolicies)
	out = changedOf(out, "AdminNetworkPolicy", before.AdminNetworkPolicies, after.AdminNetworkPolicies)
	return changedOf(out, "BaselineAdminNetworkPolicy", before.BaselineAdminNetworkPolicies, after.BaselineAdminNetworkPolicies)
}

// changedOf compares the objects of one kind. Where a state has one twice, the
// first counts: the compiler reports the other.
func changedOf[T objects.Meta](out []diffreport.Object, kind string, before, after []objects.Sourced[T]) []diffreport.Object {
	type name struct{ namespace, name string }
	old := make(map[name]*objects.Sourced[T], len(before))
	seen := make(map[name]bool, len(after))
	for i := range before {
		n := name{before[i].Object.GetNamespace(), before[i].Object.GetName()}
		if old[n] == nil {
			old[n] = &before[i]
		}
	}
	for i := range after {
		n := name{after[i].Object.GetNamespace(), after[i].Object.GetName()}
		if seen[n] {
			continue
		}
		seen[n] = true
		was := old[n]
		switch {
		case was == nil:
			out = append(out, diffreport.Object{Change: diffreport.ObjectAdded, Origin: objects.Origin(kind, after[i])})
		case !reflect.DeepEqual(was.Object, after[i].Object):
			if f := changedFields(was.Object, after[i].Object); len(f) > 0 {
				out = append(out, diffreport.Object{Change: diffreport.ObjectChanged, Origin: objects.Origin(kind, after[i]), Fields: f})
			}
		}
	}
	gone := make(map[name]bool)
	for i := range before {
		n := name{before[i].Object.GetNamespace(), before[i].Object.GetName()}
		if !seen[n] && !gone[n] {
			gone[n] = true
			out = append(out, diffreport.Object{Change: diffreport.ObjectRemoved, Origin: objects.Origin(kind, before[i])})
		}
	}
	return out
}

// changedFields compares objects as JSON has them.
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
