package takeover

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/internal/text/iptables"
)

// proxyChains are the names of kube-proxy's chains (pkg/proxy/iptables/proxier.go,
// pkg/proxy/ipvs/proxier.go).
var proxyChains = []string{
	"KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-NODEPORTS", "KUBE-FORWARD", "KUBE-PROXY-FIREWALL", "KUBE-POSTROUTING",
	"KUBE-MARK-MASQ", "KUBE-PROXY-CANARY", "KUBE-LOAD-BALANCER", "KUBE-NODE-PORT", "KUBE-SOURCE-RANGES-FIREWALL",
	"KUBE-IPVS-FILTER", "KUBE-IPVS-OUT-FILTER",
}

// proxyPrefixes are the prefixes of the names of its other chains.
var proxyPrefixes = []string{"KUBE-SVC-", "KUBE-SVL-", "KUBE-SEP-", "KUBE-EXT-", "KUBE-FW-", "KUBE-XLB-"}

func isProxyChain(name string) bool {
	return slices.Contains(proxyChains, name) || slices.ContainsFunc(proxyPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// savedTable is one table in the output of iptables-save.
type savedTable struct {
	name    string
	chains  []string
	builtin map[string]bool
	// drops are the built-in chains with policy DROP.
	drops map[string]bool
	// rules are the rules of each chain.
	rules map[string][]savedRule
}

// savedRule is a rule in printed form without its chain, and its target: a chain,
// or an action.
type savedRule struct{ spec, target string }

// parseSaved parses the output of iptables-save. A rule that it does not
// understand has no target.
func parseSaved(text []byte) []*savedTable {
	var tables []*savedTable
	var t *savedTable
	for l, err := range iptables.Lines(text) {
		switch {
		case err != nil:
		case l.Policy != "":
			t.chains = append(t.chains, l.Chain)
			t.builtin[l.Chain] = l.Policy != "-"
			t.drops[l.Chain] = l.Policy == "DROP"
		case l.Verb != "":
			r := savedRule{spec: l.Spec}
			if words, err := l.Words(); err == nil {
				r.target = iptables.Leads(words)
			}
			t.rules[l.Chain] = append(t.rules[l.Chain], r)
		default:
			t = &savedTable{name: l.Table, builtin: make(map[string]bool), drops: make(map[string]bool), rules: make(map[string][]savedRule)}
			tables = append(tables, t)
		}
	}
	return tables
}

// removal returns the input of iptables-restore --noflush that removes
// kube-proxy's chains and the jumps to them ("" if there are none), and describes
// it in steps. If planec's rules do not accept Services in a firewall (admits),
// needed are the chains of kube-proxy that do; they stay.
func removal(tables []*savedTable, admits bool) (text string, steps, needed []string) {
	var b strings.Builder
	for _, t := range tables {
		gone := t.removable()
		if !admits {
			for _, chain := range t.admitting() {
				delete(gone, chain)
				needed = append(needed, chain)
			}
		}
		if len(gone) == 0 {
			continue
		}
		fmt.Fprintf(&b, "*%s\n", t.name)
		for _, chain := range t.chains {
			if gone[chain] {
				// Declaring a chain empties it.
				fmt.Fprintf(&b, ":%s - [0:0]\n", chain)
			}
		}
		for _, chain := range t.chains {
			for _, rule := range t.rules[chain] {
				if !gone[chain] && gone[rule.target] {
					fmt.Fprintf(&b, "-D %s %s\n", chain, rule.spec)
				}
			}
		}
		for _, chain := range t.chains {
			if gone[chain] {
				fmt.Fprintf(&b, "-X %s\n", chain)
			}
		}
		b.WriteString("COMMIT\n")
		steps = append(steps, fmt.Sprintf("table %s: %d chains", t.name, len(gone)))
	}
	return b.String(), steps, needed
}

// admitting returns kube-proxy's chains that accept packets in a firewall that
// drops: those in the filter table to which a built-in chain with policy DROP
// leads.
func (t *savedTable) admitting() []string {
	if t.name != "filter" {
		return nil
	}
	var out []string
	for _, at := range []string{"INPUT", "FORWARD"} {
		if !t.drops[at] {
			continue
		}
		for _, rule := range t.rules[at] {
			chain := rule.target
			accepts := func(r savedRule) bool { return r.target == "ACCEPT" }
			if isProxyChain(chain) && slices.ContainsFunc(t.rules[chain], accepts) && !slices.Contains(out, chain) {
				out = append(out, chain)
			}
		}
	}
	return out
}

// removable returns kube-proxy's chains, except those to which a foreign chain
// leads. Jumps from built-in chains belong to kube-proxy.
func (t *savedTable) removable() map[string]bool {
	gone := make(map[string]bool)
	for _, chain := range t.chains {
		if isProxyChain(chain) {
			gone[chain] = true
		}
	}
	var keep func(chain string)
	keep = func(chain string) {
		if !gone[chain] {
			return
		}
		delete(gone, chain)
		for _, rule := range t.rules[chain] {
			keep(rule.target)
		}
	}
	for _, chain := range t.chains {
		if isProxyChain(chain) || t.builtin[chain] {
			continue
		}
		for _, rule := range t.rules[chain] {
			keep(rule.target)
		}
	}
	if !gone["KUBE-MARK-MASQ"] {
		// A chain that still marks packets needs them masqueraded.
		keep("KUBE-POSTROUTING")
	}
	return gone
}
