package cilium

import (
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Read compiles the policies of a cluster, and returns the tiers that they name besides
// Kubernetes' own. What Cilium would refuse is reported and does not exist then.
func Read(c *clause.Cluster, diags *diag.List) ([]clause.Tier, []*clause.Policy) {
	r := reader{diags: diags, tier: clause.TierName{Kind: ir.NetworkTier}}
	var tiers []clause.Tier
	if set := c.Objects; len(set.CiliumNetworkPolicies)+len(set.CiliumClusterwideNetworkPolicies)+len(set.CiliumCIDRGroups)+len(set.CiliumConfigs) == 0 {
		return nil, nil
	}
	if c.Settings.Separate {
		r.tier = clause.TierName{Kind: ir.NamedTier, Name: separateTier}
		tiers = []clause.Tier{{Name: separateTier, Order: clause.NetworkOrder}}
	}
	o := readOptions(c.Objects, diags)
	if o.clusterName == defaults().clusterName && c.Settings.Cluster != "" {
		o.clusterName = c.Settings.Cluster
	}
	r.world = newWorld(c, o)
	r.world.readGroups(c.Objects, diags)
	if !r.isOff() {
		for _, src := range c.Objects.CiliumNetworkPolicies {
			r.networkPolicy(src)
		}
		for _, src := range c.Objects.CiliumClusterwideNetworkPolicies {
			r.clusterwidePolicy(src)
		}
		r.always()
	}
	if len(r.out) == 0 {
		return nil, nil
	}
	return tiers, r.out
}

// separateTier is the tier of Cilium's policies where NetworkPolicies have one of their own.
const separateTier = "cilium"

type reader struct {
	world *world
	tier  clause.TierName
	diags *diag.List
	out   []*clause.Policy
}

// isOff reports whether an option switches off all policies.
func (r *reader) isOff() bool {
	o := r.world.options
	if o.enforcement != enforceNever {
		return false
	}
	r.diags.Add(diag.CiliumOption, o.origin.At("data.enable-policy"), "policies of Cilium are not enforced")
	return true
}

// refused reports why a policy would be refused, and whether it would.
func (r *reader) refused(errs field.ErrorList, at ir.Origin) bool {
	for _, e := range errs {
		r.diags.Add(diag.RefusedPolicy, at.At(e.Field), e.ErrorBody())
	}
	return len(errs) > 0
}

func (r *reader) networkPolicy(src objects.Sourced[*ciliumv2.NetworkPolicy]) {
	p, at := src.Object, objects.Origin(ciliumv2.KindNetworkPolicy, src)
	if !r.world.options.policies {
		r.diags.Add(diag.CiliumOption, at, "it is not enforced: the option enable-cilium-network-policy is false")
		return
	}
	if !r.refused(validateNetworkPolicy(p, r.world.options), at) {
		r.policies(p.Spec, p.Specs, policy{world: r.world, namespace: p.Namespace, origin: at})
	}
}

func (r *reader) clusterwidePolicy(src objects.Sourced[*ciliumv2.ClusterwideNetworkPolicy]) {
	p, at := src.Object, objects.Origin(ciliumv2.KindClusterwideNetworkPolicy, src)
	if !r.world.options.clusterPolicies {
		r.diags.Add(diag.CiliumOption, at, "it is not enforced: the option enable-cilium-clusterwide-network-policy is false")
		return
	}
	if !r.refused(validateClusterwidePolicy(p, r.world.options), at) {
		r.policies(p.Spec, p.Specs, policy{world: r.world, origin: at})
	}
}

// policies compiles the policies of one object.
func (r *reader) policies(spec *ciliumv2.Rule, specs []*ciliumv2.Rule, p policy) {
	if spec != nil {
		r.policy(spec, "spec", p)
	}
	for i, one := range specs {
		r.policy(one, fmt.Sprintf("specs[%d]", i), p)
	}
}

// policy compiles one policy at a path of its object.
func (r *reader) policy(from *ciliumv2.Rule, path string, p policy) {
	at := p.origin
	out := &clause.Policy{
		Kind: "cilium " + at.Kind + " " + path, Origin: at, Tier: r.tier, Order: clause.NetworkPolicyOrder,
		Tie: at.Name + "/" + at.Namespace + "/" + at.Kind + "/" + path,
	}
	p.origin = at.At(path)
	if from.NodeSelector != nil {
		p.node = true
		if !r.world.options.hostFirewall {
			r.diags.Add(diag.NodePolicy, p.origin.At(path+".nodeSelector"), "it is about nodes, and the option enable-host-firewall is not set")
			return
		}
		subject := newSelector(from.NodeSelector)
		out.Node = func(n *clause.Node) bool { return subject.matches(hostLabels{r.world, n}) }
		out.Asks = func() clause.Asks { return p.asks(from, nil) }
	} else {
		s := p.subject(from.EndpointSelector)
		out.Subject = r.subject(s)
		out.Asks = func() clause.Asks { return p.asks(from, s) }
	}
	r.sides(out, from, &p)
	r.sayOf(from, &p, path)
	r.out = append(r.out, out)
}

// subject is the pods that a policy is about. Those of a policy of a namespace are in it:
// a label of the namespace with source k8s is replaced, one without is asked besides
// (pkg/k8s/apis/cilium.io/utils/utils.go, ParseToCiliumRule).
func (p *policy) subject(from *ciliumv2.Selector) selector {
	p.matchesInit = has(from, sourceReserved+":"+reservedInit)
	if p.namespace == "" {
		return newSelector(from)
	}
	replaced := *from
	replaced.MatchLabels = make(map[string]string, len(from.MatchLabels)+1)
	for key, value := range from.MatchLabels {
		replaced.MatchLabels[key] = value
	}
	replaced.MatchLabels[sourceK8s+":"+labelNamespace] = p.namespace
	return newSelector(&replaced)
}

// subject selects the pods for the lowering.
func (r *reader) subject(s selector) *clause.Selector {
	w := r.world
	out := &clause.Selector{
		Text: s.String(), Namespace: onlyNamespace(s), Labels: w.ownLabels(s),
		Matches: func(p *clause.Pod) bool { return s.matches(podLabels{w, p}) },
	}
	if noPods(s) {
		out.Matches = func(*clause.Pod) bool { return false }
	}
	return out
}

// has reports whether a selector names a key, in its full form.
func has(s *ciliumv2.Selector, key string) bool {
	source, name := parseKey(key)
	for _, r := range newSelector(s) {
		if r.source == source && r.key == name {
			return true
		}
	}
	return false
}

// maxAlternatives bounds the rules that stand for those of one direction of a policy:
// named ports have other numbers on each pod.
const maxAlternatives = 1 << 14

// sides compiles both directions.
func (r *reader) sides(out *clause.Policy, from *ciliumv2.Rule, p *policy) {
	rules := views(from)
	for _, d := range ir.Directions() {
		side, all, alternatives := out.Side(d), 0, 0
		for i := range rules {
			v := &rules[i]
			if v.direction != d {
				continue
			}
			all++
			at := p.origin.At(p.origin.Path + "." + v.path)
			made := &rule{policy: p, view: v, origin: at, peers: p.peersOf(v)}
			side.Rules = append(side.Rules, made.clauses()...)
			r.say(made)
			if alternatives += made.alternatives; alternatives > maxAlternatives {
				r.diags.Add(diag.PolicyBudget, at, fmt.Sprintf("the named ports of all rules up to this one stand for more than %d rules; all %v of what it selects is denied", maxAlternatives, d))
				side.Rules = []clause.Rule{{Action: ir.Deny, Rank: rankDeny, AnyPeer: true, AnyPort: true, Origin: at}}
				break
			}
		}
		side.Isolates = all > 0 && isolates(from, d, r.world.options)
		side.OwnNode = r.world.options.judgeOwnNode
	}
}

// isolates reports whether a policy with rules in a direction isolates
// (pkg/policy/api/rule_validation.go, Sanitize).
func isolates(from *ciliumv2.Rule, d ir.Direction, o *options) bool {
	choice := from.EnableDefaultDeny
	if !o.nonDefaultDeny || choice == nil {
		return true
	}
	if d == ir.Ingress {
		return choice.Ingress == nil || *choice.Ingress
	}
	return choice.Egress == nil || *choice.Egress
}

// always isolates all pods where the option enable-policy says so. The own node gets in
// only where a rule of ingress selects the pod (pkg/policy/repository.go,
// computePolicyEnforcementAndRules).
func (r *reader) always() {
	o := r.world.options
	if o.enforcement != enforceAlways {
		return
	}
	at := o.origin.At("data.enable-policy")
	selects := r.ingressSelectors()
	make := func(name string, matches func(*clause.Pod) bool, in, out bool) *clause.Policy {
		return &clause.Policy{
			Kind: "cilium " + name, Origin: at, Tier: r.tier, Order: clause.NetworkPolicyOrder, Tie: name,
			Subject: &clause.Selector{Text: name, Matches: matches},
			Ingress: clause.Side{Isolates: in, OwnNode: !out || o.judgeOwnNode}, Egress: clause.Side{Isolates: out},
		}
	}
	everyone := make("enable-policy", func(*clause.Pod) bool { return true }, true, true)
	if o.hostFirewall {
		everyone.Node = func(*clause.Node) bool { return true }
	}
	without := make("enable-policy without ingress rules", func(p *clause.Pod) bool {
		for _, selected := range selects {
			if selected(p) {
				return false
			}
		}
		return true
	}, true, false)
	r.out = append(r.out, everyone, without)
}

// ingressSelectors returns the subjects of all policies that say something of ingress,
// those of Kubernetes too.
func (r *reader) ingressSelectors() []func(*clause.Pod) bool {
	var out []func(*clause.Pod) bool
	for _, p := range r.out {
		if p.Subject != nil && p.Ingress.Affects() {
			out = append(out, p.Subject.Matches)
		}
	}
	set := r.world.cluster.Objects
	for _, src := range set.NetworkPolicies {
		p := src.Object
		if s, ok := ofKubernetes(&p.Spec.PodSelector); ok && slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeIngress) {
			out = append(out, func(pod *clause.Pod) bool {
				return pod.Namespace.Name == p.Namespace && s.Matches(labels.Set(pod.Labels))
			})
		}
	}
	for _, src := range set.ClusterNetworkPolicies {
		subject := src.Object.Spec.Subject
		if len(src.Object.Spec.Ingress) == 0 {
			continue
		}
		ns, pods := subject.Namespaces, &metav1.LabelSelector{}
		if subject.Pods != nil {
			ns, pods = &subject.Pods.NamespaceSelector, &subject.Pods.PodSelector
		}
		in, ok1 := ofKubernetes(ns)
		which, ok2 := ofKubernetes(pods)
		if ok1 && ok2 {
			out = append(out, func(pod *clause.Pod) bool {
				return in.Matches(labels.Set(pod.Namespace.Labels)) && which.Matches(labels.Set(pod.Labels))
			})
		}
	}
	return out
}

func ofKubernetes(s *metav1.LabelSelector) (labels.Selector, bool) {
	out, err := metav1.LabelSelectorAsSelector(s)
	return out, err == nil
}
