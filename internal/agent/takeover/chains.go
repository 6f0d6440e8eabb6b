package takeover

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
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
	// rules are the lines after "-A chain ", by chain.
	rules map[string][]string
}

// parseSaved reads what iptables-save prints.
func parseSaved(text []byte) []*savedTable {
	var tables []*savedTable
	var t *savedTable
	for line := range bytes.Lines(text) {
		l := strings.TrimRight(string(line), "\n")
		switch {
		case strings.HasPrefix(l, "*"):
			t = &savedTable{name: l[1:], builtin: make(map[string]bool), drops: make(map[string]bool), rules: make(map[string][]string)}
			tables = append(tables, t)
		case t == nil:
		case strings.HasPrefix(l, ":"):
			name, policy, _ := strings.Cut(l[1:], " ")
			t.chains = append(t.chains, name)
			t.builtin[name] = !strings.HasPrefix(policy, "-")
			t.drops[name] = strings.HasPrefix(policy, "DROP")
		case strings.HasPrefix(l, "-A "):
			chain, rule, _ := strings.Cut(l[len("-A "):], " ")
			t.rules[chain] = append(t.rules[chain], rule)
		}
	}
	return tables
}

// target is the chain that a rule leads to, or "". Words in quotes are comments'.
func target(rule string) string {
	quoted, last := false, ""
	for _, w := range strings.Fields(rule) {
		if !quoted && (last == "-j" || last == "-g") {
			return w
		}
		if strings.Count(w, `"`)%2 == 1 {
			quoted = !quoted
		}
		last = w
	}
	return ""
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
				if !gone[chain] && gone[target(rule)] {
					fmt.Fprintf(&b, "-D %s %s\n", chain, rule)
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
			chain := target(rule)
			accepts := func(rule string) bool { return target(rule) == "ACCEPT" }
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
			keep(target(rule))
		}
	}
	for _, chain := range t.chains {
		if isProxyChain(chain) || t.builtin[chain] {
			continue
		}
		for _, rule := range t.rules[chain] {
			keep(target(rule))
		}
	}
	if !gone["KUBE-MARK-MASQ"] {
		// Who still marks packets needs them masqueraded.
		keep("KUBE-POSTROUTING")
	}
	return gone
}
