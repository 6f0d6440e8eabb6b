package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Bounds for policies whose cost grows faster than their size. Policies of
// real clusters stay far below them.
const (
	// maxRowPorts bounds the possible rows of one direction of a policy, times
	// the possible port ranges of each row: the rules on a node. A policy of 40
	// kB cannot reach it.
	maxRowPorts = 1 << 22
	// maxNamedPeers bounds the named ports of one rule times its peers, because
	// each port is resolved for each peer.
	maxNamedPeers = 1 << 16
)

// withinBudget closes the directions of a policy that would cost too much:
// the policy still isolates, but accepts nothing.
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

// overBudget describes what costs too much in the rules of one direction, or returns "".
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
	// The rows are bounded by the number of sets of rules with different peers,
	// and by the pieces into which the peers split the addresses.
	rows := pieces
	if len(distinct) < 30 {
		rows = min(rows, 1<<len(distinct))
	}
	if cost := rows * (len(ranges) + named); cost > maxRowPorts {
		return fmt.Sprintf("%d different peers and %d different ports could make %d rows of them with %d port ranges in all, %d at most", len(distinct), len(ranges)+named, rows, cost, maxRowPorts)
	}
	return ""
}
