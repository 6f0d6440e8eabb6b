package takeover

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/internal/text/iptables"
)

// proxyChains are the chains that kube-proxy makes, by their names
// (pkg/proxy/iptables/proxier.go, pkg/proxy/ipvs/proxier.go).
var proxyChains = []string{
	"KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-NODEPORTS", "KUBE-FORWARD", "KUBE-PROXY-FIREWALL", "KUBE-POSTROUTING",
	"KUBE-MARK-MASQ", "KUBE-PROXY-CANARY", "KUBE-LOAD-BALANCER", "KUBE-NODE-PORT", "KUBE-SOURCE-RANGES-FIREWALL",
	"KUBE-IPVS-FILTER", "KUBE-IPVS-OUT-FILTER",
}

// proxyPrefixes are how the names of its other chains begin.
var proxyPrefixes = []string{"KUBE-SVC-", "KUBE-SVL-", "KUBE-SEP-", "KUBE-EXT-", "KUBE-FW-", "KUBE-XLB-"}

func isProxyChain(name string) bool {
	return slices.Contains(proxyChains, name) || slices.ContainsFunc(proxyPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// savedTable is one table of what iptables-save prints.
type savedTable struct {
	name    string
	chains  []string
	builtin map[string]bool
	// drops are the kernel's own chains whose policy drops.
	drops map[string]bool
	// rules are those of each chain.
	rules map[string][]savedRule
}

// savedRule is a rule without its chain, as it is printed, and where it leads: to a
// chain, or to what is done with a packet.
type savedRule struct{ spec, target string }

// parseSaved reads what iptables-save prints. What it does not understand of a rule
// leads nowhere.
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

// removal is the text for iptables-restore --noflush that removes kube-proxy's
// chains and the jumps to them, and what it removes in words; nothing is "". Where
// nothing else does, needed are chains whose rules let Services through a firewall:
// they stay.
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

// admitting are kube-proxy's chains that accept packets which the node's firewall
// would drop: those of the filter table that a chain of the kernel leads to whose
// policy drops.
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

// removable are kube-proxy's chains, but for those that a foreign chain
// leads to. Jumps from the kernel's own chains are kube-proxy's.
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
		// Who still marks packets needs them masqueraded.
		keep("KUBE-POSTROUTING")
	}
	return gone
}
