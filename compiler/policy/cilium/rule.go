package cilium

import (
	"fmt"
	"sync"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// The ranks of rules in their tier: denies come first, then what rules about
// authentication decide together, then what a proxy is to look at, then all others
// (pkg/policy/types/entry.go; pkg/policy/mapstate.go). Policies of Kubernetes have rank 0
// too.
const (
	rankDeny     = -100
	rankAuth     = -95
	rankRedirect = -90
	rankAllow    = 0
)

// authOf returns what a mode of authentication asks.
func authOf(a *ciliumv2.Authentication) clause.Auth {
	switch {
	case a == nil:
		return clause.NoAuth
	case a.Mode == authRequired:
		return clause.AuthRequired
	case a.Mode == authFail:
		return clause.AuthFail
	}
	return clause.AuthDisabled
}

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
	if r.auth != nil {
		variants = r.world.grouped(r.peers)
	}
	if !r.hasPorts() {
		return r.forPorts(variants, clause.Rule{AnyPort: true, Origin: r.origin}, &portSet{})
	}
	var out []clause.Rule
	for _, s := range r.portSets() {
		at := r.itemOrigin(&s)
		if len(s.ranges) > 0 {
			out = append(out, r.forPorts(variants, clause.Rule{Ports: s.ranges, Origin: at}, &s)...)
		}
		for i := range s.named {
			out = append(out, r.forName(variants, &s.named[i], clause.Rule{Origin: at}, &s)...)
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
func (r *rule) forPorts(variants []variant, base clause.Rule, s *portSet) []clause.Rule {
	base.OwnNode = r.direction == ir.Ingress && !r.node
	r.decide(&base, s)
	out := make([]clause.Rule, 0, len(variants))
	for _, v := range variants {
		made := base
		made.AnyPeer, made.Peers, made.NotPeers, made.Group = v.any, v.peers, v.notPeers, v.group
		out = append(out, made)
	}
	return out
}

// decide gives a rule its action and its rank.
func (r *rule) decide(to *clause.Rule, s *portSet) {
	switch {
	case r.deny:
		to.Action, to.Rank = ir.Deny, rankDeny
		return
	case s.payload != "":
		to.Action, to.Rank, to.Payload, to.Proxy = ir.Redirect, rankRedirect, s.payload, s.proxy
	default:
		to.Action, to.Rank = ir.Accept, rankAllow
	}
	if to.Auth = authOf(r.auth); to.Auth != clause.NoAuth {
		to.Rank = rankAuth
	}
	switch to.Auth {
	case clause.AuthFail:
		to.Action, to.Payload = ir.Deny, ""
	case clause.AuthRequired:
		to.Action, to.Payload = ir.Redirect, payloadAuth
		if s.payload != "" {
			to.Payload += ", " + s.payload
		}
	}
}

// forName returns rules for a named port: to the subject's own number, or to that of each
// destination.
func (r *rule) forName(variants []variant, n *namedPort, base clause.Rule, s *portSet) []clause.Rule {
	if r.direction == ir.Egress {
		return r.destinations(n, base, s)
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
		have, _ := made.LoadOrStore(own, r.forPorts(variants, rule, s))
		return have.([]clause.Rule), text
	}
	return []clause.Rule{base}
}

// destinations returns rules to the pods that have a port of the name, one for each number
// that it means.
func (r *rule) destinations(n *namedPort, base clause.Rule, s *portSet) []clause.Rule {
	groups := r.world.numberGroups(r.peers, n)
	var out []clause.Rule
	for _, g := range groups {
		pods := g.pods
		peer := &clause.Peer{ID: g.id, Resolve: func(string) clause.Set { return clause.Set{Pods: pods} }}
		rule := clause.Rule{Ports: []ir.PortRange{n.numbered(g.number, ir.Egress)}, Origin: base.Origin}
		out = append(out, r.forPorts([]variant{{peers: []*clause.Peer{peer}}}, rule, s)...)
	}
	r.alternatives += len(groups)
	return out
}
