package policy

import (
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// rule is one rule of a policy, independent of a node.
type rule struct {
	action  ir.Action
	name    string
	anyPeer bool
	peers   []*peer
	ports   ports
	origin  ir.Origin
}

// policy is a policy of any kind.
type policy struct {
	kind     string
	tier     ir.TierKind
	priority int32
	subject  podSelector
	// isolates holds the directions that a NetworkPolicy isolates.
	isolates map[ir.Direction]bool
	rules    map[ir.Direction][]rule
	origin   ir.Origin
	// unknown caches the result of unknownPorts.
	unknown *diag.List
}

// affects reports whether the policy applies to the direction.
func (p *policy) affects(d ir.Direction) bool { return p.isolates[d] || len(p.rules[d]) > 0 }

// key identifies the policy among all kinds.
func (p *policy) key() string {
	return p.kind + "/" + p.origin.Namespace + "/" + p.origin.Name
}

// keep adds the peers of an already compiled policy.
func (p *policy) keep(x *peers) {
	for _, rules := range p.rules {
		for i := range rules {
			for _, peer := range rules[i].peers {
				x.intern(peer)
			}
		}
	}
}

// failClosed changes a rule with a peer or protocol of an unknown kind
// (network-policy-api, ClusterNetworkPolicyIngressPeer): it then accepts
// nothing, or denies everything.
func (r *rule) failClosed() {
	r.peers, r.ports = nil, ports{any: true}
	r.anyPeer = r.action != ir.Accept
	if r.anyPeer {
		r.action = ir.Deny
	}
}

// lowered is a rule with its address sets.
type lowered struct {
	rule  ir.Rule
	sets  []*ir.AddressSet
	names [][]named
	have  map[string]bool
}

// lower resolves the rule. A named port of egress has a number on each peer, so
// one rule may become several consecutive ones with the same action, which
// together match the same packets. subject resolves named ports of ingress; all
// pods of a profile agree on them.
func (r *rule) lower(d ir.Direction, c *cast, everyPod *peer, subject *pod) []lowered {
	base := ir.Rule{Action: r.action, Name: r.name, AnyPeer: r.anyPeer, AnyPort: r.ports.any, Origin: r.origin}
	base.Ports = slices.Clone(r.ports.ranges)
	if d == ir.Ingress {
		for _, n := range r.ports.named {
			base.Ports = append(base.Ports, n.on(subject)...)
		}
	}
	base.Ports = distinctRanges(base.Ports)
	l := lowered{rule: base}
	for _, p := range r.peers {
		p.resolve(c)
		l.add(&p.set, p.names)
	}
	out := []lowered{l}
	if d == ir.Ingress || len(r.ports.named) == 0 {
		return out
	}
	peers := r.peers
	if r.anyPeer {
		everyPod.resolve(c)
		peers = []*peer{everyPod}
	}
	for _, n := range r.ports.named {
		for _, p := range peers {
			out = append(out, r.named(c, p, n)...)
		}
	}
	if len(out) > 1 && len(base.Ports) == 0 {
		return out[1:]
	}
	return out
}

func (r *rule) named(c *cast, p *peer, n namedPort) []lowered {
	var out []lowered
	for _, w := range p.splitByPort(c, n) {
		l := lowered{rule: ir.Rule{Action: r.action, Name: r.name, Ports: w.ports, Origin: r.origin}}
		l.add(&w.set, w.names)
		out = append(out, l)
	}
	return out
}

func (l *lowered) add(set *ir.AddressSet, names []named) {
	if l.have[set.ID] {
		return
	}
	if l.have == nil {
		l.have = make(map[string]bool)
	}
	l.have[set.ID] = true
	l.rule.Peers = append(l.rule.Peers, set.ID)
	l.sets = append(l.sets, set)
	l.names = append(l.names, names)
}
