package calico

import (
	"fmt"
	"math"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/policy/calico/selector"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Read compiles the policies of a cluster, and returns the tiers that they name besides
// Kubernetes' own. What Calico would refuse is reported and does not exist then.
func Read(c *clause.Cluster, diags *diag.List) ([]clause.Tier, []*clause.Policy) {
	r := reader{world: newWorld(c, diags), diags: diags, separate: c.Settings.Separate}
	r.readTiers(c.Objects)
	for _, src := range c.Objects.CalicoNetworkPolicies {
		r.networkPolicy(src)
	}
	for _, src := range c.Objects.CalicoGlobalNetworkPolicies {
		r.globalNetworkPolicy(src)
	}
	r.sayOrder(c.Objects)
	return r.tiers.clauses(), r.out
}

type reader struct {
	world    *world
	tiers    tiers
	separate bool
	diags    *diag.List
	out      []*clause.Policy
}

// refused reports why an object would be refused, and whether it would.
func (r *reader) refused(code diag.Code, errs field.ErrorList, at ir.Origin) bool {
	for _, e := range errs {
		r.diags.Add(code, at.At(e.Field), e.ErrorBody())
	}
	return len(errs) > 0
}

func (r *reader) networkPolicy(src objects.Sourced[*calicov3.NetworkPolicy]) {
	p, at := src.Object, objects.Origin(objects.KindCalicoNetworkPolicy, src)
	if r.refused(diag.RefusedPolicy, ValidateNetworkPolicy(p), at) {
		return
	}
	all := []*selector.Selector{selector.Equal(labelNamespace, p.Namespace)}
	if p.Spec.Selector != "" {
		all = append(all, parsed(p.Spec.Selector))
	}
	if p.Spec.ServiceAccountSelector != "" {
		all = append(all, parsed(p.Spec.ServiceAccountSelector).Prefixed(prefixServiceAccount))
	}
	r.policy(&p.Spec, at, "NetworkPolicy", selector.And(all...))
}

// globalNetworkPolicy compiles a policy of the cluster. In its selectors of namespaces
// and service accounts all() means the pods that have one, in the text as a whole
// (updateprocessors/globalnetworkpolicyprocessor.go).
func (r *reader) globalNetworkPolicy(src objects.Sourced[*calicov3.GlobalNetworkPolicy]) {
	p, at := src.Object, objects.Origin("GlobalNetworkPolicy", src)
	if r.refused(diag.RefusedPolicy, ValidateGlobalNetworkPolicy(p), at) {
		return
	}
	if p.Spec.DoNotTrack || p.Spec.PreDNAT {
		r.diags.Add(diag.HostPolicy, at.At("spec"), "it is for host endpoints alone, and judges no connection of a pod")
		return
	}
	subject := parsed(p.Spec.Selector)
	if text := p.Spec.NamespaceSelector; text != "" {
		subject = both(subject, p.Spec.Selector, parsed(text).Prefixed(prefixNamespace)).With(selector.Has(labelNamespace), nil)
	}
	if text := p.Spec.ServiceAccountSelector; text != "" {
		subject = both(subject, p.Spec.Selector+p.Spec.NamespaceSelector, parsed(text).Prefixed(prefixServiceAccount)).With(selector.Has(labelServiceAccount), nil)
	}
	r.policy(&p.Spec.PolicySpec, at, "GlobalNetworkPolicy", subject)
}

// both joins a selector to another one, if that has a text.
func both(have *selector.Selector, text string, more *selector.Selector) *selector.Selector {
	if text == "" {
		return more
	}
	return selector.And(have, more)
}

// policy compiles what policies of both scopes have. kind is Calico's own name.
func (r *reader) policy(s *calicov3.PolicySpec, at ir.Origin, kind string, subject *selector.Selector) {
	tier, known := r.tiers.named(s.Tier)
	if !known {
		r.diags.Add(diag.UnknownTier, at.At("spec.tier"), fmt.Sprintf("there is no Tier %s", s.Tier))
		return
	}
	p := &clause.Policy{
		Kind: "calico " + kind, Origin: at, Tier: tier.place, Order: math.Inf(1),
		Tie: at.Name + "/" + at.Namespace + "/" + kind,
		Subject: &clause.Selector{
			Text: subject.String(), Namespace: onlyNamespace(subject), Labels: ownLabels(subject),
			Matches: func(p *clause.Pod) bool { return r.world.matches(subject, p) },
		},
	}
	if s.Order != nil {
		p.Order = *s.Order
	}
	if slices.Contains(s.Types, "Ingress") {
		p.Ingress = clause.Side{Isolates: !tier.passes, Rules: r.rules(s.Ingress, ir.Ingress, at)}
	}
	if slices.Contains(s.Types, "Egress") {
		p.Egress = clause.Side{Isolates: !tier.passes, Rules: r.rules(s.Egress, ir.Egress, at)}
	}
	w := r.world
	p.Asks = func() clause.Asks { return w.asks(s, p, subject) }
	r.out = append(r.out, p)
}

// maxAlternatives bounds the rules that stand for those of one direction of a policy:
// named ports have other numbers on each pod.
const maxAlternatives = 1 << 14

// rules compiles the rules of a direction. If they would cost too much, the direction is
// closed.
func (r *reader) rules(rules []calicov3.Rule, d ir.Direction, at ir.Origin) []clause.Rule {
	var out []clause.Rule
	cost := 0
	for i := range rules {
		from := &rules[i]
		where := at.At(fmt.Sprintf("spec.%v[%d]", d, i))
		made := newRule(r.world, from, d, at.Namespace, where)
		if cost += made.alternatives(); cost > maxAlternatives {
			at = at.At(fmt.Sprintf("spec.%v", d))
			r.diags.Add(diag.PolicyBudget, at, fmt.Sprintf("its named ports stand for more than %d rules; all %v of what it selects is denied", maxAlternatives, d))
			return []clause.Rule{{Action: ir.Deny, AnyPeer: true, AnyPort: true, Origin: at}}
		}
		r.say(from, made)
		out = append(out, made.clause()...)
	}
	return out
}

// say reports what is probably not meant.
func (r *reader) say(from *calicov3.Rule, made *rule) {
	if from.HTTP != nil {
		r.diags.Add(diag.HTTPMatch, made.origin, "it asks for HTTP requests, and there is no proxy that looks at them")
	}
	for _, e := range []*calicov3.Entity{&from.Source, &from.Destination} {
		if a := e.ServiceAccounts; a != nil && a.Selector == "" && len(a.Names) == 0 {
			r.diags.Add(diag.EmptyServiceAccounts, made.origin, "its serviceAccounts ask for nothing, so it is about everybody")
		}
	}
	for _, name := range made.names() {
		if len(r.world.withPorts([]string{name})) == 0 {
			r.diags.Add(diag.UnknownNamedPort, made.origin, fmt.Sprintf("no pod has a port %s", name))
		}
	}
	s := made.peer.service
	switch {
	case s == nil:
	case s.Namespace == "":
		r.diags.Add(diag.PolicyServiceNamespace, made.origin, fmt.Sprintf("Service %s without a namespace", s.Name))
	case len(r.world.slicesOf(made.serviceOf())) == 0:
		r.diags.Add(diag.PolicyServiceNobody, made.origin, fmt.Sprintf("Service %s/%s has no EndpointSlices", s.Namespace, s.Name))
	}
}

// sayOrder tells where the NetworkPolicies of Kubernetes stand.
func (r *reader) sayOrder(set *objects.Set) {
	in := func(p *clause.Policy) bool { return p.Tier.Kind == ir.NetworkTier }
	if first := slices.IndexFunc(r.out, in); first >= 0 && len(set.NetworkPolicies) > 0 {
		r.diags.Add(diag.CalicoOrder, r.out[first].Origin, fmt.Sprintf("%d NetworkPolicies of Kubernetes have order %d in the tier default", len(set.NetworkPolicies), clause.NetworkPolicyOrder))
	}
}
