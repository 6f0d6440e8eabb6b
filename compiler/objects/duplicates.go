package objects

import (
	"bytes"
	"cmp"
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/ir/diag"
)

// CompareFirst orders objects of one kind by who comes first where only one can have
// something: the older, then the one whose namespace and name sort first, then as
// [CompareDuplicates]. Whatever decides between objects decides by this.
func CompareFirst[T metav1.Object](a, b Sourced[T]) int {
	return cmp.Or(
		CompareTimes(a.Object.GetCreationTimestamp(), b.Object.GetCreationTimestamp()),
		CompareNames(a.Object, b.Object),
		compareSame(a, b),
	)
}

// CompareNames orders objects by namespace and name.
func CompareNames[T metav1.Object](a, b T) int {
	return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
}

// compareSame orders objects of one age and name. Content is dear to compare, so
// objects that have different names are never asked for it.
func compareSame[T metav1.Object](a, b Sourced[T]) int {
	if CompareNames(a.Object, b.Object) != 0 {
		return 0
	}
	return CompareDuplicates(a, b)
}

// CompareDuplicates orders two objects of one kind and name; the first is the one
// that counts: the older, then the one whose content sorts first, then the one
// whose place does. An object without a creationTimestamp does not exist yet and
// is the youngest. It is the only rule for this: what reads files and what
// compiles must keep the same object.
func CompareDuplicates[T metav1.Object](a, b Sourced[T]) int {
	if c := CompareTimes(a.Object.GetCreationTimestamp(), b.Object.GetCreationTimestamp()); c != 0 {
		return c
	}
	return cmp.Or(
		bytes.Compare(content(a.Object), content(b.Object)),
		cmp.Compare(a.File, b.File),
		cmp.Compare(a.Line, b.Line),
	)
}

// CompareTimes orders times of creation; the zero time is the latest.
func CompareTimes(a, b metav1.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b.Time)
}

// ReportDuplicate says that an object is not used because of another one of its
// name, unless both say the same.
func ReportDuplicate[T metav1.Object](kind string, stays, goes Sourced[T], diags *diag.List) {
	if bytes.Equal(content(stays.Object), content(goes.Object)) {
		return
	}
	where := ""
	if pos := Origin(kind, stays).Position(); pos != "" {
		where = " at " + pos
	}
	diags.Add(diag.DuplicateObject, Origin(kind, goes), "the same object stands"+where+" with other content, and that one is used")
}

// content is an object as JSON. Objects of the Kubernetes API always marshal;
// one that does not sorts as empty.
func content(o any) []byte {
	b, err := json.Marshal(o)
	if err != nil {
		return nil
	}
	return b
}

// Deduplicate leaves one object of each kind and name in the set, in the order
// that they had, and says which were left out. Workloads are not looked at.
func (s *Set) Deduplicate(diags *diag.List) {
	s.Services = unique("Service", s.Services, diags)
	s.EndpointSlices = unique("EndpointSlice", s.EndpointSlices, diags)
	s.Nodes = unique("Node", s.Nodes, diags)
	s.Pods = unique("Pod", s.Pods, diags)
	s.Namespaces = unique("Namespace", s.Namespaces, diags)
	s.ServiceCIDRs = unique("ServiceCIDR", s.ServiceCIDRs, diags)
	s.NetworkPolicies = unique("NetworkPolicy", s.NetworkPolicies, diags)
	s.ClusterNetworkPolicies = unique("ClusterNetworkPolicy", s.ClusterNetworkPolicies, diags)
	s.AdminNetworkPolicies = unique("AdminNetworkPolicy", s.AdminNetworkPolicies, diags)
	s.BaselineAdminNetworkPolicies = unique("BaselineAdminNetworkPolicy", s.BaselineAdminNetworkPolicies, diags)
}

// unique leaves the first by [CompareDuplicates] of each name.
func unique[T metav1.Object](kind string, in []Sourced[T], diags *diag.List) []Sourced[T] {
	type name struct{ namespace, name string }
	at := make(map[name]int, len(in))
	var twice map[name][]Sourced[T]
	kept := in[:0:0]
	for i, o := range in {
		n := name{o.Object.GetNamespace(), o.Object.GetName()}
		first, again := at[n]
		if !again {
			at[n] = i
			continue
		}
		if twice == nil {
			twice = make(map[name][]Sourced[T])
		}
		if len(twice[n]) == 0 {
			twice[n] = append(twice[n], in[first])
		}
		twice[n] = append(twice[n], o)
	}
	if twice == nil {
		return in
	}
	for i, o := range in {
		n := name{o.Object.GetNamespace(), o.Object.GetName()}
		if at[n] != i {
			continue
		}
		kept = append(kept, best(kind, o, twice[n], diags))
	}
	return kept
}

// best chooses among the objects of one name. What is kept is known before any
// is reported, so that each names the one that is used.
func best[T metav1.Object](kind string, only Sourced[T], all []Sourced[T], diags *diag.List) Sourced[T] {
	if len(all) == 0 {
		return only
	}
	stays := 0
	for i := range all {
		if CompareDuplicates(all[i], all[stays]) < 0 {
			stays = i
		}
	}
	for i := range all {
		if i != stays {
			ReportDuplicate(kind, all[stays], all[i], diags)
		}
	}
	return all[stays]
}
