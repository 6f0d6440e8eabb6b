package manifest

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/json"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/calicov3"
)

// calicoKinds are the kinds of Calico that planec reads: as its API has them, and as it
// keeps them.
var calicoKinds = []string{"NetworkPolicy", "GlobalNetworkPolicy", "Tier", "NetworkSet", "GlobalNetworkSet"}

// withCalico adds Calico's kinds.
func withCalico(kinds []knownKind) []knownKind {
	for _, k := range calicoKinds {
		kinds = append(kinds,
			knownKind{k, calicov3.Group, []string{calicov3.Version}, ""},
			knownKind{k, calicov3.CRDGroup, []string{calicov3.CRD}, ""})
	}
	return kinds
}

// isCalico reports whether the kind is of one of Calico's groups.
func (t typeMeta) isCalico() bool {
	group := t.group()
	return group == calicov3.Group || group == calicov3.CRDGroup
}

// newCalico returns a value of the Go type of a kind of Calico, or nil.
func newCalico(m typeMeta) any {
	switch m.kind {
	case "NetworkPolicy":
		return calicov3.NetworkPolicy{}
	case "GlobalNetworkPolicy":
		return calicov3.GlobalNetworkPolicy{}
	case "Tier":
		return calicov3.Tier{}
	case "NetworkSet":
		return calicov3.NetworkSet{}
	case "GlobalNetworkSet":
		return calicov3.GlobalNetworkSet{}
	}
	return nil
}

// calicoObject decodes an object of a kind of Calico that is read.
func (d *decoder) calicoObject(out *outcome, t *text, meta typeMeta) {
	s := &out.set
	switch meta.kind {
	case "NetworkPolicy":
		readInto(d, out, t, objects.KindCalicoNetworkPolicy, &s.CalicoNetworkPolicies, namespaced, isSubdomain, (*decoder).calicoNetworkPolicy)
	case "GlobalNetworkPolicy":
		readInto(d, out, t, meta.kind, &s.CalicoGlobalNetworkPolicies, clusterScoped, isSubdomain, (*decoder).calicoGlobalNetworkPolicy)
	case "Tier":
		readInto(d, out, t, meta.kind, &s.CalicoTiers, clusterScoped, isSubdomain, (*decoder).calicoTier)
	case "NetworkSet":
		readInto(d, out, t, meta.kind, &s.CalicoNetworkSets, namespaced, isSubdomain, (*decoder).calicoNetworkSet)
	case "GlobalNetworkSet":
		readInto(d, out, t, meta.kind, &s.CalicoGlobalNetworkSets, clusterScoped, isSubdomain, (*decoder).calicoGlobalNetworkSet)
	}
}

// calicoMeta is [decoder.meta] with the labels that Calico's API shows: an object as
// Calico keeps it has them in an annotation.
func (d *decoder) calicoMeta(version string, m *metav1.ObjectMeta) metav1.ObjectMeta {
	out := d.meta(m)
	text, there := m.Annotations[calicov3.MetadataAnnotation]
	if !there || !strings.HasPrefix(version, calicov3.CRDGroup+"/") {
		return out
	}
	var shown metav1.ObjectMeta
	if json.UnmarshalCaseSensitivePreserveInts([]byte(text), &shown) == nil {
		out.Labels, out.Annotations = d.shared.labels(shown.Labels), kept(shown.Annotations)
	}
	return out
}

func (d *decoder) calicoNetworkPolicy(p *calicov3.NetworkPolicy) *calicov3.NetworkPolicy {
	d.calicoSpec(&p.Spec)
	return &calicov3.NetworkPolicy{ObjectMeta: d.calicoMeta(p.APIVersion, &p.ObjectMeta), Spec: p.Spec}
}

func (d *decoder) calicoGlobalNetworkPolicy(p *calicov3.GlobalNetworkPolicy) *calicov3.GlobalNetworkPolicy {
	d.calicoSpec(&p.Spec.PolicySpec)
	p.Spec.NamespaceSelector = d.shared.string(p.Spec.NamespaceSelector)
	return &calicov3.GlobalNetworkPolicy{ObjectMeta: d.calicoMeta(p.APIVersion, &p.ObjectMeta), Spec: p.Spec}
}

func (d *decoder) calicoTier(t *calicov3.Tier) *calicov3.Tier {
	return &calicov3.Tier{ObjectMeta: d.calicoMeta(t.APIVersion, &t.ObjectMeta), Spec: t.Spec}
}

func (d *decoder) calicoNetworkSet(s *calicov3.NetworkSet) *calicov3.NetworkSet {
	return &calicov3.NetworkSet{ObjectMeta: d.calicoMeta(s.APIVersion, &s.ObjectMeta), Spec: s.Spec}
}

func (d *decoder) calicoGlobalNetworkSet(s *calicov3.GlobalNetworkSet) *calicov3.GlobalNetworkSet {
	return &calicov3.GlobalNetworkSet{ObjectMeta: d.calicoMeta(s.APIVersion, &s.ObjectMeta), Spec: s.Spec}
}

func (d *decoder) serviceAccount(a *corev1.ServiceAccount) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{ObjectMeta: d.meta(&a.ObjectMeta)}
}

// calicoSpec sets the default of types (api/pkg/defaults/networkpolicy.go), and shares
// strings.
func (d *decoder) calicoSpec(s *calicov3.PolicySpec) {
	defaultCalicoTypes(s)
	s.Tier = d.shared.string(s.Tier)
	s.Selector, s.ServiceAccountSelector = d.shared.string(s.Selector), d.shared.string(s.ServiceAccountSelector)
	for i := range s.Types {
		s.Types[i] = d.shared.string(s.Types[i])
	}
	for _, rules := range [][]calicov3.Rule{s.Ingress, s.Egress} {
		for i := range rules {
			d.calicoRule(&rules[i])
		}
	}
}

func defaultCalicoTypes(s *calicov3.PolicySpec) {
	switch {
	case s.Types != nil:
	case len(s.Egress) == 0:
		s.Types = []string{"Ingress"}
	case len(s.Ingress) == 0:
		s.Types = []string{"Egress"}
	default:
		s.Types = []string{"Ingress", "Egress"}
	}
}

func (d *decoder) calicoRule(r *calicov3.Rule) {
	r.Action, r.Metadata = d.shared.string(r.Action), nil // notes for people
	for _, p := range []*intstr.IntOrString{r.Protocol, r.NotProtocol} {
		if p != nil {
			p.StrVal = d.shared.string(p.StrVal)
		}
	}
	for _, e := range []*calicov3.Entity{&r.Source, &r.Destination} {
		e.Selector, e.NotSelector = d.shared.string(e.Selector), d.shared.string(e.NotSelector)
		e.NamespaceSelector = d.shared.string(e.NamespaceSelector)
		for i := range e.Ports {
			e.Ports[i].StrVal = d.shared.string(e.Ports[i].StrVal)
		}
	}
}

// closeCalico makes a policy deny everything in its directions; both closes both.
func closeCalico(s *calicov3.PolicySpec, both bool) {
	if both {
		s.Types = []string{"Ingress", "Egress"}
	}
	defaultCalicoTypes(s)
	deny := []calicov3.Rule{{Action: "Deny"}}
	s.Ingress, s.Egress = nil, nil
	for _, t := range s.Types {
		switch t {
		case "Ingress":
			s.Ingress = deny
		case "Egress":
			s.Egress = deny
		}
	}
}

// calicoDoubts is [doubtsOf] for policies of Calico, which have three fields that
// select. A field outside of the rules may be a misspelt one of these.
func calicoDoubts(fields []strange) doubts {
	var d doubts
	for i := range fields {
		f := &fields[i]
		inSpec := len(f.steps) > 1 && f.steps[0].name == "spec"
		if inSpec && (f.steps[1].name == "ingress" || f.steps[1].name == "egress") {
			continue
		}
		name := f.meant()
		if f.repeated {
			name = f.name()
		}
		switch {
		case inSpec && (name == "ingress" || name == "egress" || name == "types" || name == "order" || name == "tier"):
			d.directions = d.directions || name != "order" && name != "tier"
		default:
			d.selector = true
		}
	}
	return d
}
