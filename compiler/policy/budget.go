package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// What a policy may cost where that is more than its bytes. Policies of real
// clusters stay far below.
const (
	// maxRowPorts bounds the rows that one direction of a policy can make of its
	// peers, times the port ranges that each row can have: the rules that a node
	// gets of it. A policy of 40 kB cannot reach it.
	maxRowPorts = 1 << 22
	// maxNamedPeers bounds the named ports of one rule, times its peers: each is
	// resolved for each.
	maxNamedPeers = 1 << 16
)

// withinBudget closes the directions of a policy that would cost too much: it
// still isolates, and accepts nothing.
func (p *policy) withinBudget(diags *diag.List) {
	for _, d := range ir.Directions() {
		over := overBudget(p.rules[d])
		if over == "" {
			continue
		}
		at := p.origin.At(fmt.Sprintf("spec.%v", d))
		diags.Add(diag.PolicyBudget, at, over+"; all "+d.String()+" of what it selects is denied")
		p.rules[d] = nil
		if p.tier != ir.NetworkTier {
			p.rules[d] = []rule{{action: ir.Deny, anyPeer: true, ports: ports{any: true}, origin: at}}
		}
	}
}

// overBudget says what the rules of one direction cost too much; "" is nothing.
func overBudget(rules []rule) string {
	distinct, ranges := make(map[string]bool), make(map[ir.PortRange]bool)
	named, pieces := 0, 1
	for i := range rules {
		r := &rules[i]
		for _, p := range r.ports.ranges {
			ranges[p] = true
		}
		named += len(r.ports.named)
		if n := len(r.ports.named) * len(r.peers); n > maxNamedPeers {
			return fmt.Sprintf("rule %d has %d named ports for %d peers, which are %d pairs, %d at most", i, len(r.ports.named), len(r.peers), n, maxNamedPeers)
		}
		ids := make([]string, len(r.peers))
		for j, p := range r.peers {
			ids[j] = p.id
			pieces += 2
			if p.networks != nil {
				pieces += len(p.networks.Except)
			}
		}
		slices.Sort(ids)
		distinct[strings.Join(ids, "\n")] = true
	}
	// No more rows than there are sets of rules with different peers, nor than
	// pieces into which the peers cut the addresses.
	rows := pieces
	if len(distinct) < 30 {
		rows = min(rows, 1<<len(distinct))
	}
	if cost := rows * (len(ranges) + named); cost > maxRowPorts {
		return fmt.Sprintf("%d different peers and %d different ports could make %d rows of them with %d port ranges in all, %d at most", len(distinct), len(ranges)+named, rows, cost, maxRowPorts)
	}
	return ""
}
