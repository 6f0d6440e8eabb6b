package filesource

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// keep makes a file that was read again, and is wrong, say what it said before: all of
// it where the file is not what it should be as a whole, and else those objects that
// may be the ones that are wrong. What is wrong may be a slip of an editor, and must
// take nothing from a node that serves.
func (f *file) keep(had *file) {
	f.doubtful = doubtful(f.diags)
	switch {
	case had == nil:
	case broken(f.diags):
		f.set, f.doubtful = had.set, had.doubtful
		f.kept = "the file cannot be read as a whole: its last good version is used"
	default:
		n := f.restore(had)
		for _, kind := range wrongKinds(f.diags) {
			n += retain(&f.set, &had.set, kind)
		}
		if n > 0 {
			f.kept = fmt.Sprintf("an object in it is wrong: what the last good version had besides is used (objects: %d)", n)
		}
	}
}

// restore takes the last good version of the objects of which fields are unknown, where
// there is one, and returns how many it took. Without one the object is used as far as it
// can be: see [diag.UnknownField] and [diag.UnknownPolicyField].
func (f *file) restore(had *file) (n int) {
	good := make(map[objects.Identity]bool)
	for id := range all(&had.set) {
		if f.doubtful[id] && !had.doubtful[id] {
			good[id] = true
			delete(f.doubtful, id)
		}
	}
	if len(good) == 0 {
		return 0
	}
	to, from := &f.set, &had.set
	exchange("Service", &to.Services, from.Services, good)
	exchange("EndpointSlice", &to.EndpointSlices, from.EndpointSlices, good)
	exchange("Node", &to.Nodes, from.Nodes, good)
	exchange("Pod", &to.Pods, from.Pods, good)
	exchange("Namespace", &to.Namespaces, from.Namespaces, good)
	exchange("ServiceCIDR", &to.ServiceCIDRs, from.ServiceCIDRs, good)
	exchange("NetworkPolicy", &to.NetworkPolicies, from.NetworkPolicies, good)
	exchange("ClusterNetworkPolicy", &to.ClusterNetworkPolicies, from.ClusterNetworkPolicies, good)
	exchange("AdminNetworkPolicy", &to.AdminNetworkPolicies, from.AdminNetworkPolicies, good)
	exchange("BaselineAdminNetworkPolicy", &to.BaselineAdminNetworkPolicies, from.BaselineAdminNetworkPolicies, good)
	return len(good)
}

// exchange puts objects of another list in the place of those of their names.
func exchange[T metav1.Object](kind string, list *[]objects.Sourced[T], from []objects.Sourced[T], which map[objects.Identity]bool) {
	among := func(o objects.Sourced[T]) bool {
		return which[objects.IdentityOf(kind, o.Object)]
	}
	kept := slices.DeleteFunc(slices.Clone(*list), among)
	for _, o := range from {
		if among(o) {
			kept = append(kept, o)
		}
	}
	*list = kept
}

// doubtful are the objects that have fields which the API does not have, or policies that
// have one twice.
func doubtful(diags diag.List) map[objects.Identity]bool {
	out := make(map[objects.Identity]bool)
	for _, d := range diags {
		if d.Code == diag.UnknownField || d.Code == diag.UnknownPolicyField || d.Code == diag.BadObject && d.Origin.Name != "" {
			out[objects.IdentityAt(d.Origin)] = true
		}
	}
	return out
}

// blank reports whether the file has no bytes, as a full disk or a writer that was
// killed leaves it.
func (f *file) blank() bool { return f.stamp.size == 0 }

// keepAll takes the version before, where it has objects.
func (f *file) keepAll(had *file) {
	if had == nil {
		return
	}
	for range all(&had.set) {
		f.set, f.doubtful = had.set, had.doubtful
		f.kept = "the file has no bytes any more: its last good version is used; remove the file, or give it a comment, to remove its objects"
		return
	}
}

// wrong reports whether something of the file could not be read. A policy that has
// unknown fields closes what it selects, which must not be the first that an agent does.
func (f *file) wrong() bool {
	return broken(f.diags) || len(wrongKinds(f.diags)) > 0 ||
		slices.ContainsFunc(f.diags, func(d diag.Diagnostic) bool { return d.Code == diag.UnknownPolicyField })
}

// broken reports whether the file is not what it should be as a whole: cut off,
// or no YAML at all.
func broken(diags diag.List) bool {
	return slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == diag.BadDocument || d.Code == diag.BadUTF8 })
}

// wrongKinds are the kinds of objects that are wrong by themselves, each once; "" is
// one of a kind that is not known.
func wrongKinds(diags diag.List) []string {
	var kinds []string
	for _, d := range diags {
		if (d.Code == diag.BadObject || d.Code == diag.UnnamedObject || nameInDoubt(d)) && !slices.Contains(kinds, d.Origin.Kind) {
			kinds = append(kinds, d.Origin.Kind)
		}
	}
	return kinds
}

// nameInDoubt reports whether an unknown field may be what an object's name or namespace
// was meant to be.
func nameInDoubt(d diag.Diagnostic) bool {
	return (d.Code == diag.UnknownField || d.Code == diag.UnknownPolicyField) && (strings.HasPrefix(d.Origin.Path, "metadata.") || !strings.Contains(d.Origin.Path, "."))
}

// retain adds the objects of a kind that a set lacks and another has, and returns how
// many; "" is every kind.
func retain(set, had *objects.Set, kind string) int {
	n := 0
	each := func(of string, add func() int) {
		if kind == "" || kind == of {
			n += add()
		}
	}
	each("Service", func() int { return missing(&set.Services, had.Services) })
	each("EndpointSlice", func() int { return missing(&set.EndpointSlices, had.EndpointSlices) })
	each("Node", func() int { return missing(&set.Nodes, had.Nodes) })
	each("Pod", func() int { return missing(&set.Pods, had.Pods) })
	each("Namespace", func() int { return missing(&set.Namespaces, had.Namespaces) })
	each("ServiceCIDR", func() int { return missing(&set.ServiceCIDRs, had.ServiceCIDRs) })
	each("NetworkPolicy", func() int { return missing(&set.NetworkPolicies, had.NetworkPolicies) })
	each("ClusterNetworkPolicy", func() int { return missing(&set.ClusterNetworkPolicies, had.ClusterNetworkPolicies) })
	each("AdminNetworkPolicy", func() int { return missing(&set.AdminNetworkPolicies, had.AdminNetworkPolicies) })
	each("BaselineAdminNetworkPolicy", func() int { return missing(&set.BaselineAdminNetworkPolicies, had.BaselineAdminNetworkPolicies) })
	return n
}

// missing adds those objects to a list whose names it lacks, and returns how many.
func missing[T metav1.Object](list *[]objects.Sourced[T], had []objects.Sourced[T]) int {
	there := make(map[objects.Name]bool, len(*list))
	for _, o := range *list {
		there[objects.NameOf(o.Object)] = true
	}
	n := 0
	for _, o := range had {
		if !there[objects.NameOf(o.Object)] {
			*list = append(*list, o)
			n++
		}
	}
	return n
}
