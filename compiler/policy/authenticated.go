package policy

import (
	"cmp"
	"fmt"
	"maps"
	"math/bits"
	"slices"

	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Several rules about authentication may match one connection, beside others that say
// nothing of it. Cilium keeps rules for named peers and rules for everybody apart, each
// with the rules for fewer ports first. In either list
//
//   - the proxy of the highest precedence holds for all rules of fewer ports,
//   - what the rule of the fewest ports says about authentication holds, and is its own
//     only if no rule without authentication is about fewer ports.
//
// Of the two lists the one with the higher proxy decides, then that with fewer ports, then
// the one for named peers. If what it says is not its own, the stronger of both lists holds
// (pkg/policy/mapstate.go, authPreferredInsert; bpf/lib/policy.h, __policy_can_access).
//
// Which rules for everybody match, and what is about how many ports, is the same for all
// peers of one cell of ports. So each cell has a list of rules in which the first that
// matches decides.

// rankAuthenticated is the rank of these rules: after denies, before proxies.
const rankAuthenticated = -95

// maxAuthenticated bounds the work for the rules of one direction of a profile: pairs of a
// rule about authentication and another rule in one cell, of all cells.
const maxAuthenticated = 1 << 22

// maxVisits bounds the rules of all cells, counted with every range that matches.
const maxVisits = 1 << 23

// authenticated replaces rules about authentication in a tier by those that they decide
// together.
func (b *builder) authenticated(rules []placed) []placed {
	var a authentication
	rest := rules[:0:0]
	for i := range rules {
		r := &rules[i]
		switch {
		case r.rule.Action == ir.Deny && r.auth == clause.NoAuth || r.rule.Action == ir.Pass || r.rule.Action == ir.Log:
		case r.auth != clause.NoAuth:
			a.explicit = append(a.explicit, r)
			a.all = append(a.all, r)
			continue
		default:
			a.all = append(a.all, r)
		}
		rest = append(rest, *r)
	}
	if len(a.explicit) == 0 {
		return rules
	}
	cells, pairs := a.cells()
	if pairs > maxAuthenticated {
		for _, r := range a.explicit {
			r.rule.Action, r.rule.Payload = ir.Deny, ""
			rest = append(rest, *r)
		}
		b.diags.Add(diag.PolicyBudget, a.explicit[0].rule.Origin, fmt.Sprintf("%d rules about authentication for one pod, among %d that allow, would have to be compared more than %d times: all that they match is denied", len(a.explicit), len(a.all), maxAuthenticated))
		return rest
	}
	return append(rest, a.decide(cells)...)
}

// authentication is the rules of a tier that allow, some about authentication.
type authentication struct {
	all      []*placed // of every kind
	explicit []*placed // that say something about authentication
}

// everybody reports whether a rule is one for all peers.
func everybody(r *placed) bool { return r.rule.AnyPeer && len(r.rule.NotPeers) == 0 }

// portsOf returns the ports of a rule as they are written.
func portsOf(r *placed) []ir.PortRange {
	if r.ranges != nil {
		return r.ranges
	}
	return r.rule.Ports
}

// cell is a range of ports that no rule divides, with the rules that match it. The zero
// protocol is all ports that are in no other cell.
type cell struct {
	ir.PortRange
	rules    []match // in the order of all rules
	explicit int     // how many of them say something about authentication
}

// rest reports whether the cell is that of all other ports.
func (c *cell) rest() bool { return c.Protocol == 0 }

// match is a rule that matches a cell. level is how many bits of protocol and port it
// needs for that: more for fewer ports.
type match struct {
	*placed
	level int
}

// cells divides the ports of rules about authentication, and counts pairs of one of them
// and another rule. If there are too many, the cells have no rules.
func (a *authentication) cells() (out []cell, pairs int) {
	edges := make(map[ir.Protocol][]int)
	for _, r := range a.all {
		for _, p := range portsOf(r) {
			edges[p.Protocol] = blocks(edges[p.Protocol], p)
		}
	}
	for _, protocol := range slices.Sorted(maps.Keys(edges)) {
		at := edges[protocol]
		slices.Sort(at)
		at = slices.Compact(at)
		for i := 0; i+1 < len(at); i++ {
			out = append(out, cell{PortRange: ir.PortRange{Protocol: protocol, First: uint16(at[i]), Last: uint16(at[i+1] - 1)}})
		}
	}
	out = append(out, cell{})
	matches, visits := make([]int, len(out)), 0
	a.each(out, func(i int, m match) bool {
		matches[i]++
		if m.auth != clause.NoAuth {
			out[i].explicit++
		}
		visits++
		return visits < maxVisits
	})
	if pairs = visits / maxVisits * (maxAuthenticated + 1); pairs > 0 {
		return nil, pairs
	}
	for i, n := range matches {
		pairs += n * out[i].explicit
	}
	if pairs <= maxAuthenticated {
		a.each(out, func(i int, m match) bool {
			if out[i].explicit > 0 {
				out[i].add(m)
			}
			return true
		})
	}
	return slices.DeleteFunc(out, func(c cell) bool { return c.explicit == 0 }), pairs
}

// each visits the rules of each cell until visit returns false; a rule may come several
// times, with other levels.
func (a *authentication) each(cells []cell, visit func(cell int, m match) bool) {
	for _, r := range a.all {
		if r.rule.AnyPort {
			for i := range cells {
				if !visit(i, match{r, 0}) {
					return
				}
			}
			continue
		}
		for _, p := range portsOf(r) {
			first, _ := slices.BinarySearchFunc(cells[:len(cells)-1], p, func(c cell, p ir.PortRange) int {
				return cmp.Or(cmp.Compare(c.Protocol, p.Protocol), cmp.Compare(c.First, p.First))
			})
			for i := first; i < len(cells)-1 && p.Contains(cells[i].Protocol, cells[i].First); i++ {
				if !visit(i, match{r, length(p, cells[i].First)}) {
					return
				}
			}
		}
	}
}

// add adds a rule, once with its highest level.
func (c *cell) add(m match) {
	if n := len(c.rules); n > 0 && c.rules[n-1].placed == m.placed {
		c.rules[n-1].level = max(c.rules[n-1].level, m.level)
		return
	}
	c.rules = append(c.rules, m)
}

// blocks appends where the blocks begin that a range is made of, and where they end: each
// is as long as a prefix allows (pkg/policy/portrange.go).
func blocks(to []int, p ir.PortRange) []int {
	for at := int(p.First); at <= int(p.Last); {
		to = append(to, at)
		size := 1 << min(bits.TrailingZeros32(uint32(at)|1<<16), 16)
		for at+size-1 > int(p.Last) {
			size >>= 1
		}
		at += size
	}
	return append(to, int(p.Last)+1)
}

// length is the length of the prefix that a range has around a port.
func length(p ir.PortRange, port uint16) int {
	const protocolBits, portBits = 8, 16
	switch {
	case p.Every():
		return protocolBits
	case p.Protocol.HasTypes():
		return protocolBits + portBits
	}
	for size := portBits; size > 0; size-- {
		first := uint32(port) >> size << size
		if first >= uint32(p.First) && first+1<<size-1 <= uint32(p.Last) {
			return protocolBits + portBits - size
		}
	}
	return protocolBits + portBits
}

// strongest sorts rules: what is about fewer ports first, then the stronger demand.
func strongest(a, b match) int {
	return cmp.Or(cmp.Compare(b.level, a.level), cmp.Compare(b.auth, a.auth))
}

// decision is a rule of the outcome.
type decision struct {
	of     *placed   // whose peers it is for; nil is everybody
	but    []*placed // whose peers it is not for
	action ir.Action
	by     *placed // the rule that decides
}
