package layer2

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/announce"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// rule is what one object announces.
type rule struct {
	origin ir.Origin
	// announces says for which addresses of which Services it holds.
	announces func(*corev1.Service, announce.Address) bool
	// nodes select nodes, by one of them; none are all.
	nodes      []labels.Selector
	interfaces links
}

func (r *rule) selectsNode(of map[string]string) bool {
	return len(r.nodes) == 0 || slices.ContainsFunc(r.nodes, func(s labels.Selector) bool { return s.Matches(labels.Set(of)) })
}

// links are the interfaces of one object; none are all.
type links struct {
	all      bool
	names    []string
	patterns []*regexp.Regexp
}

// interfaces are the links of several objects: an interface counts if one has it.
type interfaces []links

func (x interfaces) has(name string) bool {
	return slices.ContainsFunc(x, func(l links) bool {
		return l.all || slices.Contains(l.names, name) || slices.ContainsFunc(l.patterns, func(p *regexp.Regexp) bool { return p.MatchString(name) })
	})
}

// longestPattern bounds a regular expression: one that is compiled costs memory.
const longestPattern = 256

// readRules reads the objects, and leaves out what is wrong: announcing less than is meant is an
// address that does not answer, announcing more takes another host's.
func readRules(set *objects.Set, diags *diag.List) []rule {
	var out []rule
	for _, src := range set.L2Advertisements {
		out = append(out, metalLB(src, set, diags)...)
	}
	for _, src := range set.CiliumL2Policies {
		out = append(out, cilium(src, diags)...)
	}
	slices.SortFunc(out, func(a, b rule) int {
		return cmp.Or(cmp.Compare(a.origin.Kind, b.origin.Kind), cmp.Compare(a.origin.Object(), b.origin.Object()))
	})
	return out
}

func metalLB(src objects.Sourced[*metallbv1beta1.L2Advertisement], set *objects.Set, diags *diag.List) []rule {
	spec, at := &src.Object.Spec, objects.Origin(metallbv1beta1.KindL2Advertisement, src)
	pools, fine := selectors(spec.IPAddressPoolSelectors, at.At("spec.ipAddressPoolSelectors"), diags)
	nodes, fineToo := selectors(spec.NodeSelectors, at.At("spec.nodeSelectors"), diags)
	if !fine || !fineToo {
		return nil
	}
	named := make(map[objects.Name]bool)
	for _, p := range set.MetalLBPools {
		name := objects.NameOf(p.Object)
		if name.Namespace != src.Object.Namespace {
			continue
		}
		named[name] = slices.Contains(spec.IPAddressPools, name.Name) || len(spec.IPAddressPools)+len(pools) == 0 ||
			slices.ContainsFunc(pools, func(s labels.Selector) bool { return s.Matches(labels.Set(p.Object.Labels)) })
	}
	return []rule{{
		origin: at, nodes: nodes, interfaces: links{all: len(spec.Interfaces) == 0, names: spec.Interfaces},
		announces: func(s *corev1.Service, a announce.Address) bool {
			return a.Kind == announce.LoadBalancerIP && a.Pool.Kind == metallbv1beta1.KindIPAddressPool && named[a.Pool.Name] && className(s) != ciliumv2.ClassL2
		},
	}}
}

func cilium(src objects.Sourced[*ciliumv2.L2AnnouncementPolicy], diags *diag.List) []rule {
	spec, at := &src.Object.Spec, objects.Origin(ciliumv2.KindL2AnnouncementPolicy, src)
	of, fine := selectors(one(spec.ServiceSelector), at.At("spec.serviceSelector"), diags)
	nodes, fineToo := selectors(one(spec.NodeSelector), at.At("spec.nodeSelector"), diags)
	l := links{all: len(spec.Interfaces) == 0}
	for i, text := range spec.Interfaces {
		p, err := regexp.Compile(text)
		if err != nil || len(text) > longestPattern {
			diags.Add(diag.BadAnnouncement, at.At(fmt.Sprintf("spec.interfaces[%d]", i)), fmt.Sprintf("%.80q is no regular expression of at most %d characters", text, longestPattern))
			continue
		}
		l.patterns = append(l.patterns, p)
	}
	if !fine || !fineToo {
		return nil
	}
	return []rule{{
		origin: at, nodes: nodes, interfaces: l,
		announces: func(s *corev1.Service, a announce.Address) bool {
			switch class := className(s); {
			case a.Kind == announce.ExternalIP && !spec.ExternalIPs:
				return false
			case a.Kind == announce.LoadBalancerIP && (!spec.LoadBalancerIPs || a.Pool.Kind == metallbv1beta1.KindIPAddressPool || class != "" && class != ciliumv2.ClassL2):
				return false
			}
			return len(of) == 0 || of[0].Matches(serviceLabels(s))
		},
	}}
}

// serviceLabels are the labels that a selector of Cilium's sees.
func serviceLabels(s *corev1.Service) labels.Set {
	out := maps.Clone(s.Labels)
	if out == nil {
		out = make(map[string]string, 2)
	}
	out[ciliumv2.ServiceNamespaceKey], out[ciliumv2.ServiceNameKey] = s.Namespace, s.Name
	return out
}

func className(s *corev1.Service) string {
	if s.Spec.LoadBalancerClass == nil {
		return ""
	}
	return *s.Spec.LoadBalancerClass
}

func one(s *metav1.LabelSelector) []metav1.LabelSelector {
	if s == nil {
		return nil
	}
	return []metav1.LabelSelector{*s}
}

// selectors compiles selectors; a wrong one refuses the object.
func selectors(list []metav1.LabelSelector, at ir.Origin, diags *diag.List) (out []labels.Selector, fine bool) {
	for i := range list {
		s, err := metav1.LabelSelectorAsSelector(&list[i])
		if err != nil {
			diags.Add(diag.BadAnnouncement, at, err.Error())
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}
