package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sort"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/failsafe"
)

// Bounds for policies that are each within their own budget: the possible rows of a
// pod's policies times the possible port ranges of each row, for one profile and for
// all profiles of a node.
const (
	maxProfileRowPorts = 1 << 23
	maxNodeRowPorts    = 1 << 25
)

// share is the part of one policy in a profile's cost.
type share struct {
	pieces int
	ports  map[ir.PortRange]bool
	// sources are the source ports of its rules, which multiply the rows.
	sources map[ir.PortRange]bool
}

// bill is the cost of a profile, by policy.
type bill struct {
	profile string
	shares  map[failsafe.Object]*share
	// sum caches the cost.
	sum   int
	known bool
}

// cost is an upper bound of the rows times their port ranges.
func (b *bill) cost() int {
	if !b.known {
		b.sum, b.known = b.of(slices.Collect(maps.Keys(b.shares))), true
	}
	return b.sum
}

// of returns the cost of some policies alone.
func (b *bill) of(policies []failsafe.Object) int {
	pieces, ports, sources := 1, make(map[ir.PortRange]bool), make(map[ir.PortRange]bool)
	for _, o := range policies {
		pieces += b.shares[o].pieces
		maps.Copy(ports, b.shares[o].ports)
		maps.Copy(sources, b.shares[o].sources)
	}
	return pieces * len(ports) * (1 + 2*len(sources))
}

// heaviest lists the policies by their share, largest first.
func (b *bill) heaviest() []failsafe.Object {
	weight := func(o failsafe.Object) int { return b.shares[o].pieces + len(b.shares[o].ports) }
	return slices.SortedFunc(maps.Keys(b.shares), func(x, y failsafe.Object) int {
		return cmp.Or(cmp.Compare(weight(y), weight(x)), x.Compare(y))
	})
}

// withinNode gives up the heaviest policies of profiles that cost too much, and of
// the most expensive profiles if all together do. These policies fail closed.
func withinNode(p *ir.Program, diags *diag.List) {
	s := statement{bills: billsOf(&p.Policy), out: make(failsafe.Set), diags: diags}
	for _, b := range s.bills {
		for _, o := range b.tooMany() {
			s.give(o, b.cost(), maxProfileRowPorts, "profile "+b.profile)
		}
	}
	for {
		sum, dearest := 0, (*bill)(nil)
		for _, b := range s.bills {
			if sum += b.cost(); dearest == nil || b.cost() > dearest.cost() {
				dearest = b
			}
		}
		if sum <= maxNodeRowPorts {
			break
		}
		s.give(dearest.heaviest()[0], sum, maxNodeRowPorts, "the node's pods")
	}
	if len(s.out) > 0 {
		p.Policy = failsafe.Program(&ir.Program{Policy: p.Policy}, s.out).Policy
	}
}

// tooMany returns the fewest of the heaviest policies whose removal fits the budget.
func (b *bill) tooMany() []failsafe.Object {
	if b.cost() <= maxProfileRowPorts {
		return nil
	}
	list := b.heaviest()
	return list[:sort.Search(len(list), func(n int) bool { return b.of(list[n:]) <= maxProfileRowPorts })]
}

// statement holds the bills of a node, and the policies that were given up.
type statement struct {
	bills []*bill
	out   failsafe.Set
	diags *diag.List
}

// give gives up a policy.
func (s *statement) give(o failsafe.Object, cost, most int, whose string) {
	s.out.Add(o, failsafe.Refused)
	s.diags.Add(diag.PolicyBudget, ir.Origin{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name},
		fmt.Sprintf("the policies of %s together could make %d port ranges in all rows, %d at most, and this one adds most; what it selects is closed", whose, cost, most))
	for _, other := range s.bills {
		if other.shares[o] != nil {
			delete(other.shares, o)
			other.known = false
		}
	}
}

func billsOf(p *ir.Policy) []*bill {
	pieces := make(map[string]int, len(p.AddressSets))
	for i := range p.AddressSets {
		pieces[p.AddressSets[i].ID] = piecesOf(&p.AddressSets[i])
	}
	var out []*bill
	for i := range p.Profiles {
		out = append(out, billOf(&p.Profiles[i], pieces))
	}
	return out
}

func billOf(p *ir.Profile, pieces map[string]int) *bill {
	b := &bill{profile: p.ID, shares: make(map[failsafe.Object]*share)}
	for _, d := range ir.Directions() {
		for _, t := range p.Tiers(d) {
			for j := range t.Rules {
				b.add(&t.Rules[j], pieces)
			}
		}
	}
	return b
}

// costOf is what a profile costs whose rules use some sets.
func costOf(p *ir.Profile, uses []use) int {
	pieces := make(map[string]int, len(uses))
	for _, u := range uses {
		pieces[u.set.ID] = piecesOf(u.set)
	}
	return billOf(p, pieces).cost()
}

// piecesOf is into how many pieces a set splits the addresses, at most.
func piecesOf(s *ir.AddressSet) int { return 2 + len(s.Except) }

func (b *bill) add(r *ir.Rule, pieces map[string]int) {
	o := failsafe.PolicyOf(r.Origin)
	s := b.shares[o]
	if s == nil {
		s = &share{ports: make(map[ir.PortRange]bool), sources: make(map[ir.PortRange]bool)}
		b.shares[o] = s
	}
	for _, id := range r.Sets() {
		s.pieces += pieces[id]
	}
	for _, p := range slices.Concat(r.Ports, r.NotPorts) {
		s.ports[p] = true
	}
	for _, p := range r.SourcePorts {
		s.sources[p] = true
	}
}
