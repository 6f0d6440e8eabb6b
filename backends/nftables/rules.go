package nftables

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/planec/planec/ir"
)

// frontendChains writes every chain that base chains jump to.
func (t *table) frontendChains(w *chainWriter) {
	key := scope(0).keyExpr(t.family)
	if t.restricted.used() {
		w.chain("source-ranges", "", []string{
			key + " @restricted " + key + " . " + t.ip + " saddr != @source-ranges drop",
		})
	}
	t.unservedChains(w, key)
	t.clusterIPsChain(w)
	t.servicesChains(w, key)
	for _, to := range t.splits() {
		w.chain(to.name(), "", t.splitRules(to))
	}
	for _, s := range t.steps() {
		w.chain(s.name(), "", t.stepRules(s))
		if s.act == stick && s == s.base() {
			w.chain(s.rebindName(), "", t.rebindRules(s))
		}
	}
	for _, d := range t.sortedDraws() {
		w.chain(d.name(), "", []string{
			"meta priority set " + d.at.keyExpr(t.family) + " . " + indexExpr(d.n) + " map @" + d.at.prefix() + "affinity-slots",
		})
	}
}

// servicesChains writes the chains that find the frontend: by address, else by nodePort.
func (t *table) servicesChains(w *chainWriter, key string) {
	var rules []string
	if t.services.used() {
		rules = append(rules, key+" vmap @services")
	}
	if t.servesNodePorts() {
		rules = append(rules, t.toNodePortAddress("nodeports")...)
	}
	w.chain("services", "", rules)
	if !t.servesNodePorts() {
		return
	}
	nodePort := nodePortScope.keyExpr(t.family)
	rules = nil
	if t.restrictedNodeports.used() {
		rules = append(rules, nodePort+" @restricted-nodeports "+nodePort+" . "+t.ip+" saddr != @nodeport-source-ranges drop")
	}
	w.chain("nodeports", "", append(rules, nodePort+" vmap @nodeports"))
}

// toNodePortAddress sends packets to the chain if their destination serves
// nodePorts.
func (t *table) toNodePortAddress(chain string) []string {
	var rules []string
	if t.nodeportAddresses.used() {
		rules = append(rules, t.ip+" daddr @nodeport-addresses goto "+chain)
	}
	if t.nodeportPrefixes.used() {
		rules = append(rules,
			t.ip+" daddr "+t.loopback+" return",
			t.ip+" daddr @nodeport-prefixes fib daddr type local goto "+chain)
	}
	return rules
}

// unservedChains reject packets whose route has no endpoint. DNAT has already
// changed the destination of all others.
func (t *table) unservedChains(w *chainWriter, key string) {
	if !t.hasUnserved() {
		return
	}
	rules := []string{"ct status dnat return"}
	if t.unserved.used() {
		rules = append(rules, key+" @unserved reject")
	}
	nodePorts := t.unservedNodeports.used() && t.hasNodePortAddresses()
	if nodePorts {
		rules = append(rules, t.toNodePortAddress("unserved-nodeports")...)
	}
	w.chain("unserved", "", rules)
	if nodePorts {
		w.chain("unserved-nodeports", "", []string{nodePortScope.keyExpr(t.family) + " @unserved-nodeports reject"})
	}
}

// clusterIPsChain handles packets to ports of ClusterIPs that no Service
// has, and to unused addresses.
func (t *table) clusterIPsChain(w *chainWriter) {
	if !t.hasClusterIPs() {
		return
	}
	rules := []string{"ct status dnat return"}
	if t.clusterIPs.used() {
		rules = append(rules, t.ip+" daddr @cluster-ips reject")
	}
	if t.serviceCIDRs.used() {
		rules = append(rules, t.ip+" daddr @service-cidrs drop")
	}
	w.chain("cluster-ips", "", rules)
}

// splitRules separate local pods and the node from all other sources.
func (t *table) splitRules(to target) []string {
	inside := to.internal.verdict()
	var rules []string
	if local := t.localSource(false); local != "" {
		rules = append(rules, local+" "+inside)
	}
	rules = append(rules, "fib saddr type local "+inside)
	if to.external.act != nothing {
		rules = append(rules, to.external.verdict())
	}
	return rules
}

// localSource matches sources that the node's detector calls local, or with
// negate all others. It is "" if the family has no detector.
func (t *table) localSource(negate bool) string {
	not := ""
	if negate {
		not = "!= "
	}
	local := &t.program.Node.Local
	switch {
	case !local.Detects(t.ir):
		return ""
	case local.Mode == ir.DetectCIDR:
		return t.ip + " saddr " + not + "@local-sources"
	case local.Mode == ir.DetectInterfacePrefix && len(local.Interface) < maxInterface:
		return "iifname " + not + `"` + local.Interface + `*"`
	}
	return "iifname " + not + `"` + local.Interface + `"`
}

// maxInterface is the length of the longest interface name (IFNAMSIZ - 1). A
// prefix of that length is a whole name.
const maxInterface = 15

// stepRules returns the rules of a step's chain.
func (t *table) stepRules(s step) []string {
	base := s.base().verdict()
	setMark := "meta mark set meta mark | " + t.mark
	switch {
	case s.masquerade == ir.MasqueradeAlways:
		return []string{setMark, base}
	case s.masquerade == ir.MasqueradeUnlessLocalSource:
		return []string{t.localSource(true) + " " + setMark, base}
	case s.act == stick:
		return t.stickRules(s)
	}
	key := s.at.keyExpr(t.family)
	return []string{"dnat " + t.ip + " to " + key + " . " + indexExpr(int(s.n)) + " map @" + t.endpointsOf(s).name}
}

// draw is a chain that draws one of n endpoints.
type draw struct {
	at scope
	n  int
}

func (d draw) name() string { return d.at.prefix() + drawWord + strconv.Itoa(d.n) }

func (t *table) sortedDraws() []draw {
	return slices.SortedFunc(maps.Keys(t.draws), func(a, b draw) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.n, b.n))
	})
}
