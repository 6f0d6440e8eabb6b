package testkit_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

// naive writes a program as nft text in the simplest way, with a few rules per
// frontend. It allows to compare the evaluator, the rig and the random flows
// without a backend.
type naive struct {
	strings.Builder
	p      *ir.Program
	family ir.Family
}

// naiveRules are the tables of both families.
func naiveRules(p *ir.Program) string {
	var all string
	for _, f := range ir.Families() {
		n := &naive{p: p, family: f}
		n.table()
		all += n.String()
	}
	return all
}

func (n *naive) f(format string, args ...any) { fmt.Fprintf(n, format+"\n", args...) }

func (n *naive) word() string {
	if n.family == ir.IPv4 {
		return "ip"
	}
	return "ip6"
}

func (n *naive) chain(name, kind, hook string, priority int, body func()) {
	n.f("chain %s { type %s hook %s priority %d;", name, kind, hook, priority)
	body()
	n.f("}")
}

func (n *naive) table() {
	n.f("table %s naive {", n.word())
	n.f("chain ranges {")
	n.each(func(f *ir.Frontend, match string) {
		if len(f.SourceRanges) > 0 {
			n.f("%s %s saddr != { %s } drop", match, n.word(), join(f.SourceRanges))
		}
	})
	n.f("}")
	n.f("chain services {")
	n.each(n.dnat)
	n.f("}")
	n.f("chain empty {")
	n.each(n.empty)
	n.f("}")
	n.f("chain unknown {")
	if ips := ir.AddrsOf(n.family, n.p.ClusterIPs); len(ips) > 0 {
		n.f("ct state new %s daddr { %s } reject", n.word(), join(ips))
	}
	if cidrs := ir.PrefixesOf(n.family, n.p.Node.ServiceCIDRs); len(cidrs) > 0 {
		n.f("ct state new %s daddr { %s } drop", n.word(), join(cidrs))
	}
	n.f("}")
	for _, hook := range []string{"prerouting", "output"} {
		n.chain("early-"+hook, "filter", hook, -110, func() { n.f("ct state new jump ranges") })
		n.chain("nat-"+hook, "nat", hook, -100, func() { n.f("jump services") })
	}
	n.chain("input", "filter", "input", 0, func() { n.f("ct state new jump empty") })
	for _, hook := range []string{"forward", "output"} {
		n.chain(hook, "filter", hook, 0, func() { n.f("ct state new jump empty"); n.f("jump unknown") })
	}
	n.chain("postrouting", "nat", "postrouting", 100, n.postrouting)
	n.f("}")
}

// each visits the family's frontends, addresses before nodePorts.
func (n *naive) each(visit func(*ir.Frontend, string)) {
	for _, nodePorts := range []bool{false, true} {
		for i := range n.p.Frontends {
			f := &n.p.Frontends[i]
			if f.Match.Family != n.family || (f.Kind == ir.NodePort) != nodePorts {
				continue
			}
			dst := fmt.Sprintf("%s daddr %v", n.word(), f.Match.Address)
			if nodePorts {
				dst = n.nodePorts()
			}
			visit(f, fmt.Sprintf("%s meta l4proto %v th dport %d", dst, f.Match.Protocol, f.Match.Port))
		}
	}
}

func (n *naive) nodePorts() string {
	scope := n.p.Node.NodePorts
	own := ir.AddrsOf(n.family, scope.Addresses)
	for _, a := range ir.AddrsOf(n.family, n.p.Node.Addresses) {
		if ir.ContainsAddr(scope.Prefixes, a) {
			own = append(own, a)
		}
	}
	return fmt.Sprintf("%s daddr { %s }", n.word(), join(own))
}

// sources are the matches for local pods, and for all internal sources.
func (n *naive) sources() (pods, internal []string) {
	switch d := n.p.Node.Local; d.Mode {
	case ir.DetectCIDR:
		if cidrs := ir.PrefixesOf(n.family, d.CIDRs); len(cidrs) > 0 {
			pods = []string{fmt.Sprintf("%s saddr { %s }", n.word(), join(cidrs))}
		}
	case ir.DetectInterface:
		pods = []string{fmt.Sprintf("iifname %q", d.Interface)}
	case ir.DetectInterfacePrefix:
		pods = []string{fmt.Sprintf("iifname %q", d.Interface+"*")}
	}
	return pods, append(pods, "fib saddr type local")
}

func (n *naive) dnat(f *ir.Frontend, match string) {
	_, internal := n.sources()
	for _, source := range internal {
		n.route(f.Internal, match+" "+source)
	}
	n.route(f.External, match)
}

// route balances. An empty pool ends the search, for the filter chains.
func (n *naive) route(r ir.Route, match string) {
	pool := n.pool(r.Pool)
	if len(pool.Endpoints) == 0 {
		n.f("%s accept", match)
		return
	}
	pods, _ := n.sources()
	if r.Masquerade != ir.MasqueradeNever {
		n.f("%s meta mark set 1", match)
	}
	if r.Masquerade == ir.MasqueradeUnlessLocalSource {
		for _, source := range pods {
			n.f("%s %s meta mark set 0", match, source)
		}
	}
	var choices []string
	for i, ep := range pool.Endpoints {
		choices = append(choices, fmt.Sprintf("%d : %v . %d", i, ep.Address.Addr(), ep.Address.Port()))
	}
	n.f("%s dnat %s addr . port to numgen random mod %d map { %s }", match, n.word(), len(choices), strings.Join(choices, ", "))
}

func (n *naive) empty(f *ir.Frontend, match string) {
	_, internal := n.sources()
	verdict := func(r ir.Route) string {
		switch {
		case len(n.pool(r.Pool).Endpoints) > 0:
			return "return" // DNAT has changed the destination, unless it is the node's
		case r.OnEmpty == ir.Drop:
			return "drop"
		}
		return "reject"
	}
	for _, source := range internal {
		n.f("%s %s %s", match, source, verdict(f.Internal))
	}
	n.f("%s %s", match, verdict(f.External))
}

func (n *naive) postrouting() {
	n.f("meta mark 1 masquerade fully-random")
	for _, pool := range n.p.Pools {
		for _, ep := range pool.Endpoints {
			if a := ep.Address.Addr(); ep.Local && ir.FamilyOf(a) == n.family {
				n.f("ct status dnat %s saddr %v %s daddr %v masquerade fully-random", n.word(), a, n.word(), a)
			}
		}
	}
	if !n.p.Masquerade.Enabled(n.family) {
		return
	}
	exclude := ""
	if cidrs := ir.PrefixesOf(n.family, n.p.Masquerade.Exclude); len(cidrs) > 0 {
		exclude = fmt.Sprintf("%s daddr != { %s }", n.word(), join(cidrs))
	}
	n.f("%s fib daddr type != local masquerade fully-random", exclude)
}

func (n *naive) pool(id string) *ir.Pool {
	for i := range n.p.Pools {
		if n.p.Pools[i].ID == id {
			return &n.p.Pools[i]
		}
	}
	return &ir.Pool{}
}

func join[T netip.Addr | netip.Prefix](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, ", ")
}

// TestNaiveRules compares evaluator, rig, flows and the naive rules.
func TestNaiveRules(t *testing.T) {
	testkit.Require(t, "nft")
	for name, d := range allDetectors() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sample(t, d)
			flows := testkit.RandomFlows(rand.New(rand.NewPCG(11, 0)), p, 200)
			testkit.RunProgram(t, p, flows, func(r *testkit.Rig) error { return r.LoadNFT(naiveRules(p)) })
		})
	}
}
