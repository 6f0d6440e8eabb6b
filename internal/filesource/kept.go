package filesource

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// keep makes a file that was read again, and is wrong, say what it said before: all of
// it where the file is not what it should be as a whole, and else those objects that
// may be the ones that are wrong. What is wrong may be a slip of an editor, and must
// take nothing from a node that serves.
func (f *file) keep(had *file) {
	switch {
	case had == nil:
	case broken(f.diags):
		f.set = had.set
		f.kept = "the file cannot be read as a whole: its last good version is used"
	default:
		n := 0
		for _, kind := range wrongKinds(f.diags) {
			n += retain(&f.set, &had.set, kind)
		}
		if n > 0 {
			f.kept = fmt.Sprintf("an object in it is wrong: what the last good version had besides is used (objects: %d)", n)
		}
	}
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
		f.set = had.set
		f.kept = "the file has no bytes any more: its last good version is used; remove the file, or give it a comment, to remove its objects"
		return
	}
}

// wrong reports whether something of the file could not be read.
func (f *file) wrong() bool { return broken(f.diags) || len(wrongKinds(f.diags)) > 0 }

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
		if (d.Code == diag.BadObject || d.Code == diag.UnnamedObject) && !slices.Contains(kinds, d.Origin.Kind) {
			kinds = append(kinds, d.Origin.Kind)
		}
	}
	return kinds
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
	there := make(map[[2]string]bool, len(*list))
	for _, o := range *list {
		there[[2]string{o.Object.GetNamespace(), o.Object.GetName()}] = true
	}
	n := 0
	for _, o := range had {
		if !there[[2]string{o.Object.GetNamespace(), o.Object.GetName()}] {
			*list = append(*list, o)
			n++
		}
	}
	return n
}
