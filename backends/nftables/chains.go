package nftables

import (
	"slices"

	"github.com/planec/planec/ir"
)

// Priorities of base chains, as nft lists them. For the output hook, nft has no
// names for NAT priorities, nor for priorities more than 10 away from a name.
const (
	beforeTracking   = "raw"
	beforeDNAT       = "dstnat - 10"
	beforeDNATOutput = "-110"
	atDNAT           = "dstnat"
	atDNATOutput     = "-100"
	atSNAT           = "srcnat"
	atFilter         = "filter"
	afterFilter      = "filter + 10"
	afterEgress      = "11"
)

// chainWriter appends chains. It omits chains without rules.
type chainWriter struct{ b []byte }

func (w *chainWriter) chain(name, hook string, rules []string) {
	if len(rules) > 0 {
		w.standing(name, hook, rules)
	}
}

// standing appends a chain even if it has no rules.
func (w *chainWriter) standing(name, hook string, rules []string) {
	w.b = append(w.b, "\tchain "+name+" {\n"...)
	if hook != "" {
		w.b = append(w.b, "\t\ttype "+hook+"; policy accept;\n"...)
	}
	for _, r := range rules {
		w.b = append(w.b, "\t\t"+r+"\n"...)
	}
	w.b = append(w.b, "\t}\n\n"...)
}

// content is one family's part of the file, before it is written.
type content struct {
	*table
	sets   []*set
	chains []byte
}

// content returns the table's text, empty for a table without rules.
func (t *table) content() content {
	var w chainWriter
	t.baseChains(&w)
	t.policyBaseChains(&w)
	t.frontendChains(&w)
	t.policyChains(&w)
	if len(w.b) == 0 {
		return content{}
	}
	c := content{table: t, chains: w.b[:len(w.b)-1]}
	for _, s := range t.sets() {
		if s.used() {
			copied := *s
			c.sets = append(c.sets, &copied)
		}
	}
	return c
}

// size is an upper bound of what appendTo writes.
func (c *content) size() int {
	n := 64 + len(c.chains)
	for _, s := range c.sets {
		n += s.len() + len(s.kind) + len(s.name) + len(s.of) + len(s.size) + len(s.flags) + 64
	}
	return n
}

// appendTo writes the table unless it is empty.
func (c *content) appendTo(b []byte) []byte {
	if len(c.chains) == 0 {
		return b
	}
	b = append(b, "table "+c.ip+" "+TableName+" {\n"...)
	for _, s := range c.sets {
		b = s.appendTo(b, c.table)
	}
	b = append(b, c.chains...)
	return append(b, "}\n"...)
}

// baseChains writes the chains at the kernel's hooks.
func (t *table) baseChains(w *chainWriter) {
	w.chain("raw-prerouting", "filter hook prerouting priority "+beforeTracking, append(t.untrackedRules(), t.coveredRules()...))

	ranges := t.jumps(t.restricted.used(), "ct state new jump source-ranges")
	w.chain("filter-prerouting", "filter hook prerouting priority "+beforeDNAT, ranges)
	w.chain("filter-pre-output", "filter hook output priority "+beforeDNATOutput, ranges)

	unserved := t.jumps(t.hasUnserved(), "ct state new jump unserved")
	check := t.jumps(t.hasClusterIPs(), "ct state new jump cluster-ips")
	w.chain("filter-input", "filter hook input priority "+atFilter, unserved)
	forward := slices.Concat(t.passUntracked(), t.invalid(), unserved, check)
	w.chain("filter-forward", "filter hook forward priority "+atFilter, forward)
	w.chain("filter-output", "filter hook output priority "+atFilter, append(unserved[:len(unserved):len(unserved)], check...))

	// The NAT chains are always present: the kernel translates packets of open
	// connections only while the family has such a chain.
	services := t.jumps(t.services.used() || t.servesNodePorts(), "jump services")
	w.standing("nat-prerouting", "nat hook prerouting priority "+atDNAT, services)
	w.standing("nat-output", "nat hook output priority "+atDNATOutput, services)
	w.standing("nat-postrouting", "nat hook postrouting priority "+atSNAT, t.postrouting())
}

func (t *table) jumps(want bool, rule string) []string {
	if want {
		return []string{rule}
	}
	return nil
}

// postrouting masquerades packets that a service chain marked, packets that an
// endpoint sends to itself, and the node's egress.
func (t *table) postrouting() []string {
	rules := t.rememberTranslated()
	rules = append(rules, t.rememberWatched()...)
	if t.affinity.used() {
		rules = append(rules, "ct status dnat meta priority >= "+string(appendHandle(nil, firstEndpointID))+" meta priority set none"+t.remark("endpoint IDs end here"))
	}
	if t.marks() {
		rules = append(rules, t.isMarked()+" meta mark set meta mark ^ "+t.mark+" masquerade fully-random")
	}
	if t.hairpin.used() {
		rules = append(rules, "ct status dnat "+t.ip+" saddr . "+scope(0).keyExpr(t.family)+" @hairpin masquerade fully-random")
	}
	if t.program.Masquerade.Enabled(t.ir) {
		except := ""
		if t.masqueradeExclusions.used() {
			except = t.ip + " daddr != @masquerade-exclusions "
		}
		rules = append(rules, "fib daddr type != local "+except+"masquerade fully-random")
	}
	return rules
}

// marks reports whether any chain sets the masquerade bit.
func (t *table) marks() bool {
	for _, s := range t.steps() {
		if s.masquerade != ir.MasqueradeNever {
			return true
		}
	}
	return false
}

// remark formats a comment on a rule.
func (t *table) remark(text string) string {
	if !t.comments {
		return ""
	}
	return ` comment "` + text + `"`
}

// isMarked matches packets with the masquerade bit. nft lists a mask of the
// highest bit alone as a prefix, so that bit has a spelling of its own.
func (t *table) isMarked() string {
	if t.mark == hex32(1<<31) {
		return "meta mark >= " + t.mark
	}
	return "meta mark & " + t.mark + " == " + t.mark
}

func (t *table) hasUnserved() bool {
	return t.unserved.used() || (t.unservedNodeports.used() && t.hasNodePortAddresses())
}

func (t *table) hasClusterIPs() bool { return t.clusterIPs.used() || t.serviceCIDRs.used() }

func (t *table) hasNodePortAddresses() bool {
	return t.nodeportAddresses.used() || t.nodeportPrefixes.used()
}

func (t *table) servesNodePorts() bool { return t.nodeports.used() && t.hasNodePortAddresses() }
