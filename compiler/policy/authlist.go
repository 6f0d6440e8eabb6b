package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// inCell is what matches one cell.
type inCell struct {
	explicit []match // for named peers, about authentication, the strongest first
	others   []match // for named peers, that say nothing about it
	all      chain   // those for everybody
	// isPod is not nil if the cell is seen for the group of all pods.
	isPod func(netip.Addr) bool
}

// chain is the outcome of the rules for everybody.
type chain struct {
	level int // of the rule that decides, -1 without any
	proxy uint8
	auth  clause.Auth
	own   bool    // whether the deciding rule says so itself
	by    *placed // the rule about authentication, or nil
}

// list returns the decisions of a cell, in their order: those about the group of all pods
// first, where a rule is for the group.
func (c *cell) list(isPod func(netip.Addr) bool) []decision {
	at := slices.IndexFunc(c.rules, func(m match) bool { return m.group })
	if at < 0 {
		in := c.inOrder(nil)
		return in.list()
	}
	group, rest := c.inOrder(isPod), c.inOrder(nil)
	out := group.list()
	for i := range out {
		if out[i].of == nil {
			out[i].of = c.rules[at].placed
		}
	}
	return append(out, rest.list()...)
}

// inOrder divides the rules of a cell, as they are for all pods (isPod is then known), or
// for others.
func (c *cell) inOrder(isPod func(netip.Addr) bool) inCell {
	out := inCell{isPod: isPod}
	var all []match
	for _, m := range c.rules {
		switch {
		case everybody(m.placed), m.group && isPod != nil:
			all = append(all, m)
		case m.group:
		case m.auth == clause.NoAuth:
			out.others = append(out.others, m)
		case isPod == nil || m.holds(isPod):
			out.explicit = append(out.explicit, m)
		}
	}
	slices.SortStableFunc(out.explicit, strongest)
	out.all = newChain(all)
	return out
}

// holds reports whether one of the addresses that a rule lists is such.
func (m match) holds(such func(netip.Addr) bool) bool {
	return slices.ContainsFunc(m.sets, func(s *ir.AddressSet) bool {
		return slices.Contains(m.rule.Peers, s.ID) && slices.ContainsFunc(s.Addresses, such)
	})
}

func newChain(all []match) chain {
	out := chain{level: -1}
	for _, m := range all {
		out.proxy = max(out.proxy, m.proxy)
	}
	slices.SortStableFunc(all, strongest)
	for _, m := range all {
		if m.auth != clause.NoAuth && out.by == nil {
			out.auth, out.by = m.auth, m.placed
		}
		if out.level < 0 && (m.auth != clause.NoAuth || m.proxy == out.proxy) {
			out.level, out.own = m.level, m.auth != clause.NoAuth
		}
	}
	return out
}

// list returns the decisions of a cell, in their order. They decide about every packet that
// a rule about authentication matches.
func (c *inCell) list() []decision {
	var out []decision
	over := c.redirects(func(proxy uint8) bool { return proxy > c.all.proxy })
	for _, e := range c.explicit {
		out = append(out, c.first(e, over)...)
	}
	if c.all.by == nil {
		return out
	}
	for _, r := range over {
		if r.auth == clause.NoAuth && (c.isPod == nil || match{placed: r}.holds(c.isPod)) {
			out = append(out, decision{of: r, action: ir.Redirect, by: r})
		}
	}
	return append(out, decision{action: outcome(c.all.auth, c.all.proxy > 0), by: c.all.by})
}

// first returns the decisions about packets of which a rule is the first for named peers
// that says something about authentication.
func (c *inCell) first(e match, over []*placed) []decision {
	proxied := c.all.proxy > 0
	alone, both := e.auth, max(e.auth, c.all.auth)
	switch {
	case e.level >= c.all.level:
	case c.all.own:
		alone = c.all.auth
	default:
		alone = both
	}
	var narrower []*placed // beside one of them, what e says is not the deciding rule's own
	for _, m := range c.others {
		if m.proxy == c.all.proxy && m.level > e.level && m.level >= c.all.level {
			narrower = append(narrower, m.placed)
		}
	}
	steps := []step{{outcome(alone, proxied), narrower}, {outcome(both, proxied), over}, {outcome(e.auth, true), nil}}
	switch {
	case e.proxy > c.all.proxy:
		steps = steps[2:]
	case proxied && e.proxy < c.all.proxy:
		same := c.redirects(func(proxy uint8) bool { return proxy == c.all.proxy })
		steps = append([]step{{outcome(c.all.auth, true), same}}, steps...)
	}
	return e.decisions(steps)
}

// step is what is done with packets that some rules do not match, and those of later steps
// neither.
type step struct {
	action ir.Action
	unless []*placed
}

// decisions makes decisions of steps, without those that decide nothing.
func (m match) decisions(steps []step) []decision {
	var reached []step
	for i := 0; i < len(steps); i++ {
		s := steps[i]
		for len(s.unless) == 0 && i+1 < len(steps) {
			i++
			s.unless = steps[i].unless
		}
		reached = append(reached, s)
	}
	var out []decision
	var but []*placed
	for i, s := range slices.Backward(reached) {
		but = append(but, s.unless...)
		if i == len(reached)-1 || s.action != reached[i+1].action {
			out = append(out, decision{of: m.placed, but: slices.Clone(but), action: s.action, by: m.placed})
		}
	}
	slices.Reverse(out)
	return out
}

// redirects returns the rules for named peers with a proxy of some precedences.
func (c *inCell) redirects(among func(proxy uint8) bool) []*placed {
	var out []*placed
	for _, m := range slices.Concat(c.explicit, c.others) {
		if m.proxy > 0 && among(m.proxy) {
			out = append(out, m.placed)
		}
	}
	return out
}

// outcome is what is done where no proxy is: with a connection that has to go to one, and
// with one for which something is asked.
func outcome(auth clause.Auth, proxy bool) ir.Action {
	switch {
	case auth == clause.AuthFail:
		return ir.Deny
	case auth == clause.AuthRequired || proxy:
		return ir.Redirect
	}
	return ir.Accept
}

// decide makes the rules of all cells. Cells with the same decisions share them; those of
// all other ports come last.
func (a *authentication) decide(cells []cell) []placed {
	type group struct {
		list  []decision
		ports []ir.PortRange
		rest  bool
	}
	isPod := a.pods()
	var groups []*group
	byKey := make(map[string]*group)
	for i := range cells {
		c := &cells[i]
		list := c.list(isPod)
		key := fmt.Sprintf("%v %s", c.rest(), a.key(list))
		g := byKey[key]
		if g == nil {
			g = &group{list: list, rest: c.rest()}
			byKey[key] = g
			groups = append(groups, g)
		}
		g.ports = append(g.ports, c.PortRange)
	}
	var out []placed
	for _, g := range groups {
		for i := range g.list {
			r := g.list[i].rule()
			r.rank, r.order = rankAuthenticated, float64(len(out))
			if r.rule.AnyPort = g.rest; !g.rest {
				r.rule.Ports = distinctRanges(slices.Clone(g.ports))
			}
			out = append(out, r)
		}
	}
	return out
}

// pods returns who is in the group of all pods, as a rule for it has them.
func (a *authentication) pods() func(netip.Addr) bool {
	pods := make(map[netip.Addr]bool)
	for _, r := range a.explicit {
		if r.group {
			for _, address := range r.sets[0].Addresses {
				pods[address] = true
			}
			break
		}
	}
	return func(address netip.Addr) bool { return pods[address] }
}

// key tells lists of decisions apart.
func (a *authentication) key(list []decision) string {
	var b strings.Builder
	for i := range list {
		fmt.Fprintf(&b, "%p %v %v %p;", list[i].of, list[i].but, list[i].action, list[i].by)
	}
	return b.String()
}

// rule makes a rule of a decision, for no ports yet. Networks of a rule that is left out
// leave out pods and nodes where they are: none of a rule for pods and nodes is lost by it.
func (d *decision) rule() placed {
	out := placed{lowered: lowered{rule: d.by.rule}}
	out.rule.Action, out.rule.Ports, out.rule.AnyPort, out.rule.OwnNode = d.action, nil, false, true
	out.rule.AnyPeer, out.rule.Peers, out.rule.NotPeers = true, nil, nil
	if d.action != ir.Redirect {
		out.rule.Payload = ""
	} else if out.rule.Payload == "" {
		out.rule.Payload = authPayload
	}
	if d.of == nil {
		return out
	}
	out.rule.AnyPeer, out.rule.OwnNode = d.of.rule.AnyPeer, d.of.rule.OwnNode
	out.take(&d.of.lowered, d.of.rule.Peers, &out.rule.Peers)
	out.take(&d.of.lowered, d.of.rule.NotPeers, &out.rule.NotPeers)
	for _, r := range d.but {
		if len(r.rule.NotPeers) == 0 || len(d.of.rule.NotPeers) > 0 {
			out.take(&r.lowered, r.rule.Peers, &out.rule.NotPeers)
		}
	}
	return out
}

// take adds sets of another rule by their IDs.
func (l *lowered) take(from *lowered, ids []string, to *[]string) {
	for i, s := range from.sets {
		if slices.Contains(ids, s.ID) && !slices.Contains(*to, s.ID) {
			*to = append(*to, s.ID)
			l.sets, l.names = append(l.sets, s), append(l.names, from.names[i])
		}
	}
}

// authPayload describes what is asked of a connection by another rule than the one that
// lets it to a proxy.
const authPayload = "authentication"
