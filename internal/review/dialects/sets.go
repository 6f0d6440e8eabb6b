package dialects

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/policy/cilium"
	"github.com/planec/planec/compiler/policy/validate"
)

// dialect is the policies of one dialect.
type dialect struct {
	name  string
	count func(*objects.Set) int
	// alone returns the objects without the policies of the other dialects.
	alone func(*objects.Set) *objects.Set
}

func dialects() []dialect {
	return []dialect{
		{"Kubernetes", func(s *objects.Set) int {
			return len(s.NetworkPolicies) + len(s.ClusterNetworkPolicies) + len(s.AdminNetworkPolicies) + len(s.BaselineAdminNetworkPolicies)
		}, changed(dropCalico, dropCilium)},
		{"Calico", func(s *objects.Set) int { return len(s.CalicoNetworkPolicies) + len(s.CalicoGlobalNetworkPolicies) }, changed(dropKubernetes, dropCilium)},
		{"Cilium", func(s *objects.Set) int {
			return len(s.CiliumNetworkPolicies) + len(s.CiliumClusterwideNetworkPolicies)
		}, changed(dropKubernetes, dropCalico)},
	}
}

// changed returns what makes a copy of a set without something.
func changed(drop ...func(*objects.Set)) func(*objects.Set) *objects.Set {
	return func(s *objects.Set) *objects.Set {
		out := *s
		for _, d := range drop {
			d(&out)
		}
		return &out
	}
}

func dropKubernetes(s *objects.Set) {
	s.NetworkPolicies, s.ClusterNetworkPolicies, s.AdminNetworkPolicies, s.BaselineAdminNetworkPolicies = nil, nil, nil, nil
}

func dropCalico(s *objects.Set) {
	s.CalicoNetworkPolicies, s.CalicoGlobalNetworkPolicies, s.CalicoTiers = nil, nil, nil
	s.CalicoNetworkSets, s.CalicoGlobalNetworkSets = nil, nil
}

func dropCilium(s *objects.Set) {
	s.CiliumNetworkPolicies, s.CiliumClusterwideNetworkPolicies, s.CiliumCIDRGroups, s.CiliumConfigs = nil, nil, nil, nil
}

// engine is an engine that enforces its own policies and those of Kubernetes.
type engine struct {
	name string
	// read returns the objects as the engine reads them, by what planec would read in
	// the same way.
	read func(*objects.Set) (*objects.Set, renamed)
}

// AsCilium returns the objects as Cilium reads them, for commands and tests that compare
// with it.
func AsCilium(s *objects.Set) *objects.Set {
	out, _ := asCilium(s)
	return out
}

func engines() []engine { return []engine{{"Calico", asCalico}, {"Cilium", asCilium}} }

// asCalico returns the objects as Calico reads them: all init containers have named ports
// (conversion/workload_endpoint_default.go). The order of policies is planec's too.
func asCalico(s *objects.Set) (*objects.Set, renamed) {
	out := *s
	dropCilium(&out)
	out.Pods = nil
	always := corev1.ContainerRestartPolicyAlways
	for _, p := range s.Pods {
		if len(p.Object.Spec.InitContainers) > 0 {
			p.Object = p.Object.DeepCopy()
			for i := range p.Object.Spec.InitContainers {
				p.Object.Spec.InitContainers[i].RestartPolicy = &always
			}
		}
		out.Pods = append(out.Pods, p)
	}
	return &out, nil
}

// asCilium returns the objects as Cilium reads them: a NetworkPolicy is one of Cilium's.
// ClusterNetworkPolicies stay, by their text.
func asCilium(s *objects.Set) (*objects.Set, renamed) {
	out := *s
	dropCalico(&out)
	out.NetworkPolicies, out.CiliumNetworkPolicies = nil, nil
	out.CiliumNetworkPolicies = append(out.CiliumNetworkPolicies, s.CiliumNetworkPolicies...)
	names := make(renamed)
	for _, p := range s.NetworkPolicies {
		if len(validate.NetworkPolicy(p.Object)) > 0 {
			continue // the API server refuses it
		}
		made := objects.Sourced[*ciliumv2.NetworkPolicy]{Object: cilium.FromNetworkPolicy(p.Object), File: p.File, Line: p.Line}
		names[ciliumv2.KindNetworkPolicy+" "+made.Object.Namespace+"/"+made.Object.Name] = objects.Origin("NetworkPolicy", p).Object()
		out.CiliumNetworkPolicies = append(out.CiliumNetworkPolicies, made)
	}
	return &out, names
}

// renamed maps objects that stand for others to those: "CiliumNetworkPolicy a/b" to
// "NetworkPolicy a/c".
type renamed map[string]string

// restore names the objects of the input in a step. Places in an object that stands for
// another one are none of that one's.
func (r renamed) restore(s *Step) {
	made := slices.SortedFunc(maps.Keys(r), func(a, b string) int { // a name may begin with another one
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
	})
	is, known := r[s.Origin.Object()]
	if known {
		kind, _, _ := strings.Cut(is, " ")
		s.Origin.Kind, s.Origin.Name, s.Origin.Path = kind, is[strings.LastIndexByte(is, '/')+1:], ""
		if at := strings.LastIndex(s.Text, " (spec."); at >= 0 {
			s.Text = s.Text[:at]
		}
	}
	for _, name := range made {
		s.Text = strings.ReplaceAll(s.Text, name, r[name])
	}
}
