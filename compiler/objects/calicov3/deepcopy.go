package calicov3

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// DeepCopyObject implements runtime.Object.
func (p *NetworkPolicy) DeepCopyObject() runtime.Object {
	out := &NetworkPolicy{TypeMeta: p.TypeMeta, Spec: p.Spec.deepCopy()}
	p.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

// DeepCopyObject implements runtime.Object.
func (p *GlobalNetworkPolicy) DeepCopyObject() runtime.Object {
	out := &GlobalNetworkPolicy{TypeMeta: p.TypeMeta, Spec: p.Spec}
	p.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.PolicySpec = p.Spec.PolicySpec.deepCopy()
	return out
}

// DeepCopyObject implements runtime.Object.
func (t *Tier) DeepCopyObject() runtime.Object {
	out := &Tier{TypeMeta: t.TypeMeta, Spec: TierSpec{copied(t.Spec.Order), t.Spec.DefaultAction}}
	t.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status.Conditions = slices.Clone(t.Status.Conditions)
	return out
}

// DeepCopyObject implements runtime.Object.
func (s *NetworkSet) DeepCopyObject() runtime.Object {
	out := &NetworkSet{TypeMeta: s.TypeMeta, Spec: NetworkSetSpec{slices.Clone(s.Spec.Nets)}}
	s.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

// DeepCopyObject implements runtime.Object.
func (s *GlobalNetworkSet) DeepCopyObject() runtime.Object {
	out := &GlobalNetworkSet{TypeMeta: s.TypeMeta, Spec: NetworkSetSpec{slices.Clone(s.Spec.Nets)}}
	s.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

func (s *PolicySpec) deepCopy() PolicySpec {
	out := *s
	out.Order = copied(s.Order)
	out.Types, out.PerformanceHints = slices.Clone(s.Types), slices.Clone(s.PerformanceHints)
	out.Ingress, out.Egress = copiedRules(s.Ingress), copiedRules(s.Egress)
	return out
}

func copiedRules(rules []Rule) []Rule {
	out := slices.Clone(rules)
	for i := range out {
		out[i].deepCopyInPlace()
	}
	return out
}

func (r *Rule) deepCopyInPlace() {
	r.IPVersion, r.Protocol, r.NotProtocol = copied(r.IPVersion), copied(r.Protocol), copied(r.NotProtocol)
	for _, icmp := range []**ICMP{&r.ICMP, &r.NotICMP} {
		if *icmp != nil {
			*icmp = &ICMP{copied((*icmp).Type), copied((*icmp).Code)}
		}
	}
	for _, e := range []*Entity{&r.Source, &r.Destination} {
		e.Nets, e.NotNets = slices.Clone(e.Nets), slices.Clone(e.NotNets)
		e.Ports, e.NotPorts = slices.Clone[[]intstr.IntOrString](e.Ports), slices.Clone(e.NotPorts)
		e.Services = copied(e.Services)
		if e.ServiceAccounts != nil {
			e.ServiceAccounts = &ServiceAccounts{slices.Clone(e.ServiceAccounts.Names), e.ServiceAccounts.Selector}
		}
	}
	if r.HTTP != nil {
		r.HTTP = &HTTP{slices.Clone(r.HTTP.Methods), slices.Clone(r.HTTP.Paths)}
	}
	if r.Metadata != nil {
		r.Metadata = &RuleMetadata{maps.Clone(r.Metadata.Annotations)}
	}
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
