package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/identity"
)

// Lower adds the policies of one node to a program: profiles of its own pods, and
// only the address sets that their rules need, in canonical order. The hash makes the IDs; nil
// is SHA-256. It reports and gives up what is too large for a node.
func (m *Model) Lower(node string, onDeny ir.Refusal, hash identity.Hash, p *ir.Program, diags *diag.List) {
	new(Lowered).Lower(m, node, onDeny, hash, p, diags)
}

// group is a set of pods with a common profile.
type group struct {
	id string
	// alone is the ID if no other group wants it.
	alone string
	// key is what the pods have in common, of which the ID is a hash.
	key      string
	pods     []*pod
	policies []*policy
	// foreign are the policies of other dialects.
	foreign []*clause.Policy
	// node says that the group is the node itself.
	node bool
}

// groups groups pods that the same policies select, if their named ports are
// the same to these policies.
func (l *Lowered) groups(m *Model, node string) []*group {
	byKey := make(map[string]*group, len(l.profiles))
	out := make([]*group, 0, len(l.profiles))
	for _, p := range m.byNode[node] {
		others := m.foreign.selecting(p)
		policies, key := l.selecting(m, p)
		if len(policies)+len(others) == 0 {
			continue
		}
		if len(others) > 0 {
			key += m.foreign.text(others, p)
		}
		g := byKey[key]
		if g == nil {
			g = &group{key: key, policies: policies, foreign: others}
			byKey[key] = g
			out = append(out, g)
		}
		g.pods = append(g.pods, p)
	}
	return out
}

// nodeGroup is the group of the node itself.
func (m *Model) nodeGroup(node string, policies []*clause.Policy) *group {
	key := "node " + node + "\n"
	for _, p := range policies {
		key += foreignKey(p) + "\n"
	}
	return &group{key: key, foreign: policies, node: true}
}

// originsOf lists the origins of policies.
func originsOf(policies []*policy, others []*clause.Policy) []ir.Origin {
	out := make([]ir.Origin, 0, len(policies)+len(others))
	for _, p := range policies {
		out = append(out, p.origin)
	}
	for _, p := range others {
		out = append(out, p.Origin)
	}
	return out
}

// selecting returns the policies of Kubernetes that apply to the pod, in the order of
// evaluation within each tier.
func (m *Model) selecting(p *pod) []*policy {
	return append(m.networkIndex[p.namespace.name].selecting(p), m.clusterIndex.selecting(p)...)
}

// policyIndex finds the policies that may select a pod, in their order, by one
// required label.
type policyIndex struct {
	list     []*policy
	labelled map[label][]int
	// others require no label.
	others []int
}

func newPolicyIndex(list []*policy) *policyIndex {
	x := &policyIndex{list: list, labelled: make(map[label][]int)}
	for i, p := range list {
		if !p.affects(ir.Egress) && !p.affects(ir.Ingress) {
			continue
		}
		if asks := p.subject.pods.asks(); len(asks) > 0 {
			x.labelled[asks[0]] = append(x.labelled[asks[0]], i)
		} else {
			x.others = append(x.others, i)
		}
	}
	return x
}

// next is the index of another list, or the same one if the list is the same.
func (x *policyIndex) next(list []*policy) *policyIndex {
	if x != nil && slices.Equal(x.list, list) {
		return x
	}
	return newPolicyIndex(list)
}

// selecting returns the policies that select the pod; a nil index has none.
func (x *policyIndex) selecting(p *pod) []*policy {
	if x == nil {
		return nil
	}
	may := slices.Clone(x.others)
	for key, value := range p.labels {
		may = append(may, x.labelled[label{key, value}]...)
	}
	slices.Sort(may)
	var out []*policy
	for _, i := range may {
		if x.list[i].subject.matches(p) {
			out = append(out, x.list[i])
		}
	}
	return out
}

func groupKey(policies []*policy, p *pod) string {
	var b strings.Builder
	for _, q := range policies {
		b.WriteString(q.key())
		for i := range q.rules[ir.Ingress] {
			for _, n := range q.rules[ir.Ingress][i].ports.named {
				fmt.Fprintf(&b, " %d:%s=%s", i, n, portsText(n.on(p)))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// profileID makes a readable ID that is safe in rules: namespace and name of
// the first policy, the number of further ones, and a hash of everything.
func profileID(policies []ir.Origin, key string, names *identity.Names) string {
	const longest = 28
	clip := func(s string) string {
		if len(s) > longest {
			return s[:longest]
		}
		return s
	}
	first := policies[0]
	where := first.Namespace
	if where == "" {
		where = "cluster"
	}
	id := clip(where) + "/" + clip(first.Name)
	if n := len(policies) - 1; n > 0 {
		id += fmt.Sprintf("-and-%d", n)
	}
	return names.Of(id+"/", key, identity.Lower)
}

// builder collects the needs of one profile.
type builder struct {
	model *Model
	node  string
	// tiersInOrder are the tiers of the cluster.
	tiersInOrder []clause.TierName
	// have says which sets are in uses already.
	have  map[string]bool
	uses  []use
	diags *diag.List
}

// use is an address set that rules refer to, with the names of its addresses.
type use struct {
	set   *ir.AddressSet
	names []named
}

func (b *builder) profile(g *group) ir.Profile {
	p := ir.Profile{ID: g.id, Node: g.node}
	for _, pod := range g.pods {
		p.Pods = append(p.Pods, ir.Pod{Namespace: pod.namespace.name, Name: pod.name, Addresses: slices.Clone(pod.addresses)})
	}
	p.Ingress = b.tiers(g, ir.Ingress)
	p.Egress = b.tiers(g, ir.Egress)
	p.Normalize()
	return p
}

func (b *builder) tiers(g *group, d ir.Direction) []ir.Tier {
	var out []ir.Tier
	for _, name := range b.tiersInOrder {
		t := ir.Tier{Kind: name.Kind, Name: name.Name, Default: ir.Pass}
		rules := b.own(&t, g, d)
		if len(g.foreign) > 0 {
			rules = b.authenticated(append(rules, b.foreign(&t, g, d)...))
			slices.SortStableFunc(rules, placed.compare)
		}
		for i := range rules {
			b.add(&t, &rules[i].lowered)
		}
		if len(t.Rules) > 0 || t.Default == ir.Deny {
			out = append(out, t)
		}
	}
	return out
}

// own returns the rules of Kubernetes' policies in a tier, and makes it isolate.
func (b *builder) own(t *ir.Tier, g *group, d ir.Direction) []placed {
	var out []placed
	for _, p := range g.policies {
		if p.tier != t.Kind {
			continue
		}
		at := placed{order: float64(p.priority), tie: p.origin.Name + "//"}
		if p.tier == ir.NetworkTier {
			at = placed{order: clause.NetworkPolicyOrder, tie: p.origin.Name + "/" + p.origin.Namespace}
		}
		if p.isolates[d] {
			t.Default = ir.Deny
			t.Isolating = append(t.Isolating, p.origin.At("spec"))
		}
		for i := range p.rules[d] {
			for _, l := range p.rules[d][i].lower(d, b.model.cast, b.model.everyPod, g.pods[0]) {
				at.lowered = l
				out = append(out, at)
			}
		}
	}
	return out
}

// foreign returns the rules of other dialects in a tier, and makes it isolate.
func (b *builder) foreign(t *ir.Tier, g *group, d ir.Direction) []placed {
	var out []placed
	var subject *pod
	if !g.node {
		subject = g.pods[0]
	}
	for _, p := range g.foreign {
		if p.Tier.Kind != t.Kind || p.Tier.Name != t.Name {
			continue
		}
		if s := p.Side(d); s.Isolates {
			t.Default = ir.Deny
			t.Isolating = append(t.Isolating, p.Origin.At("spec"))
			t.OwnNode = t.OwnNode || s.OwnNode && d == ir.Ingress && !g.node
		}
		rules := b.model.foreign.clausesOf(p, d, subject)
		for i := range rules {
			r := &rules[i]
			r.OwnNode = r.OwnNode && d == ir.Ingress && !g.node
			out = append(out, placed{
				rank: r.Rank, order: p.Order, tie: p.Tie, lowered: b.model.foreign.lower(r, b.model.cast, b.node),
				auth: r.Auth, proxy: r.Proxy, group: r.Group, ranges: r.Ports,
			})
		}
	}
	return out
}

func (b *builder) add(t *ir.Tier, l *lowered) {
	t.Rules = append(t.Rules, l.rule)
	for i, s := range l.sets {
		if !b.have[s.ID] {
			b.have[s.ID] = true
			b.uses = append(b.uses, use{s, l.names[i]})
		}
	}
}
