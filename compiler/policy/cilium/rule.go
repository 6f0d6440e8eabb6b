package cilium

import (
	"fmt"
	"sync"

	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// The ranks of rules in their tier: denies come first, then what a proxy is to look at,
// then rules that say something about authentication, those for fewer packets first, then
// all others (pkg/policy/types/entry.go; pkg/policy/mapstate.go, lookup). Policies of
// Kubernetes have rank 0 too.
const (
	rankDeny     = -100
	rankRedirect = -90
	rankAuth     = -80 // with the breadth of the ports, and the mode
	rankAllow    = 0
)

// The modes of authentication.
const (
	authDisabled = "disabled"
	authRequired = "required"
	authFail     = "test-always-fail"
)

// payloadAuth is the payload of rules that ask for authentication.
const payloadAuth = "authentication"

// policy is one policy during compilation.
type policy struct {
	world     *world
	namespace string // or "" for a policy of the cluster
	node      bool   // it is about nodes themselves
	origin    ir.Origin
	// matchesInit says that the subject is pods without labels, which are in no namespace.
	matchesInit bool
}

// rule is one rule during compilation.
type rule struct {
	*policy
	*view
	origin ir.Origin
	peers  *peers
	// alternatives counts the rules that stand for it.
	alternatives int
}

// clauses returns the rules for the lowering.
func (r *rule) clauses() []clause.Rule {
	if r.peers == nil {
		return nil
	}
	variants := r.world.variants(r.peers)
	if !r.hasPorts() {
		return r.forPorts(variants, clause.Rule{AnyPort: true, Origin: r.origin}, "")
	}
	var out []clause.Rule
	for _, s := range r.portSets() {
		at := r.itemOrigin(&s)
		if len(s.ranges) > 0 {
			out = append(out, r.forPorts(variants, clause.Rule{Ports: s.ranges, Origin: at}, s.payload)...)
		}
		for i := range s.named {
			out = append(out, r.forName(variants, &s.named[i], clause.Rule{Origin: at}, s.payload)...)
		}
	}
	return out
}

// itemOrigin is the place of an item of toPorts or icmps.
func (r *rule) itemOrigin(s *portSet) ir.Origin {
	list := "toPorts"
	if len(r.ports) == 0 {
		list = "icmps"
	}
	return r.origin.At(fmt.Sprintf("%s.%s[%d]", r.origin.Path, list, s.index))
}

// forPorts returns rules for the peers, with known ports.
func (r *rule) forPorts(variants []variant, base clause.Rule, payload string) []clause.Rule {
	base.OwnNode = r.direction == ir.Ingress && !r.node
	var out []clause.Rule
	for _, decided := range r.decide(base, payload) {
		for _, v := range variants {
			made := decided
			made.AnyPeer, made.Peers, made.NotPeers = v.any, v.peers, v.notPeers
			out = append(out, made)
		}
	}
	return out
}

// decide gives a rule its action and its rank. Rules about authentication are divided by
// the breadth of their ports, since what a rule says of fewer packets counts first.
func (r *rule) decide(base clause.Rule, payload string) []clause.Rule {
	mode := ""
	if r.auth != nil {
		mode = r.auth.Mode
	}
	switch {
	case r.deny:
		base.Action, base.Rank = ir.Deny, rankDeny
	case payload != "" && mode == authFail:
		base.Action, base.Rank = ir.Deny, rankRedirect-1
	case payload != "":
		base.Action, base.Rank, base.Payload = ir.Redirect, rankRedirect, payload
		if mode == authRequired {
			base.Payload = payloadAuth + ", " + payload
		}
	case mode == "":
		base.Action, base.Rank = ir.Accept, rankAllow
	default:
		return byBreadth(base, mode)
	}
	return []clause.Rule{base}
}

// byBreadth divides a rule about authentication.
func byBreadth(base clause.Rule, mode string) []clause.Rule {
	base.Rank = rankAuth
	switch mode {
	case authFail:
		base.Action = ir.Deny
	case authRequired:
		base.Action, base.Payload = ir.Redirect, payloadAuth
		base.Rank++
	default:
		base.Action = ir.Accept
		base.Rank += 2
	}
	if base.AnyPort {
		base.Rank += 9
		return []clause.Rule{base}
	}
	var byWidth [3][]ir.PortRange
	for _, p := range base.Ports {
		switch {
		case p.Every():
			byWidth[2] = append(byWidth[2], p)
		case p.First == p.Last || p.Protocol.HasTypes():
			byWidth[0] = append(byWidth[0], p)
		default:
			byWidth[1] = append(byWidth[1], p)
		}
	}
	var out []clause.Rule
	for width, ports := range byWidth {
		if len(ports) > 0 {
			one := base
			one.Ports, one.Rank = ports, base.Rank+3*width
			out = append(out, one)
		}
	}
	return out
}

// forName returns rules for a named port: to the subject's own number, or to that of each
// destination.
func (r *rule) forName(variants []variant, n *namedPort, base clause.Rule, payload string) []clause.Rule {
	if r.direction == ir.Egress {
		return r.destinations(n, base, payload)
	}
	if r.node {
		return nil // nodes have no named ports
	}
	var made sync.Map // number to []clause.Rule
	base.For = func(p *clause.Pod) ([]clause.Rule, string) {
		own, there := number(p, n.name, n.protocol)
		if !there {
			return nil, "-"
		}
		text := fmt.Sprint(own)
		if have, known := made.Load(own); known {
			return have.([]clause.Rule), text
		}
		rule := clause.Rule{Ports: []ir.PortRange{n.numbered(own, r.direction)}, Origin: base.Origin}
		have, _ := made.LoadOrStore(own, r.forPorts(variants, rule, payload))
		return have.([]clause.Rule), text
	}
	return []clause.Rule{base}
}

// destinations returns rules to the pods that have a port of the name, one for each number
// that it means.
func (r *rule) destinations(n *namedPort, base clause.Rule, payload string) []clause.Rule {
	groups := r.world.numberGroups(r.peers, n)
	var out []clause.Rule
	for _, g := range groups {
		pods := g.pods
		peer := &clause.Peer{ID: g.id, Resolve: func(string) clause.Set { return clause.Set{Pods: pods} }}
		rule := clause.Rule{Ports: []ir.PortRange{n.numbered(g.number, ir.Egress)}, Origin: base.Origin}
		out = append(out, r.forPorts([]variant{{peers: []*clause.Peer{peer}}}, rule, payload)...)
	}
	r.alternatives += len(groups)
	return out
}
