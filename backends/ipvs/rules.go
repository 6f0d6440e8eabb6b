package ipvs

import "github.com/planec/planec/backends/xtables"

// The chains, each in one or more tables.
const (
	atInput       = "PLC-INPUT"
	atForward     = "PLC-FORWARD"
	atOutput      = "PLC-OUTPUT"
	atPrerouting  = "PLC-PREROUTING"
	atPostrouting = "PLC-POSTROUTING"
	fromPod       = "PLC-FROM-POD"
	fromNode      = "PLC-FROM-NODE"
	inside        = "PLC-INSIDE"
	mark          = "PLC-MARK"
	masquerade    = "PLC-MASQUERADE"
	translated    = xtables.TranslatedChain
	unclaimed     = "PLC-UNCLAIMED"
	virtualIPs    = "PLC-VIPS"
)

const (
	newOnly = " -m conntrack --ctstate NEW"
	// byIPVS matches packets for which IPVS has selected an endpoint.
	byIPVS = " -m ipvs --ipvs"
	drop   = " -j DROP"
	accept = " -j ACCEPT"
	masq   = " -j MASQUERADE --random-fully"
)

// toClass sends packets of local pods to one chain, and packets from the node's
// own addresses, including the virtual ones, to another.
func (t *table) toClass(pods, node string) []string {
	return append(t.toPods(pods), xtables.FromSelf+" -g "+node)
}

// toPods sends packets of local pods to a chain.
func (t *table) toPods(chain string) []string {
	var rules []string
	for _, match := range xtables.LocalSources(t.family, &t.program.Node.Local) {
		rules = append(rules, match+" -g "+chain)
	}
	return rules
}

// chain is a chain with its rules, which lack "-A name".
type chain struct {
	name  string
	rules []string
}

// appendRules writes the three tables. They depend on the node but not on its
// Services, which are in the sets.
func (t *table) appendRules(b []byte) []byte {
	b = appendTable(b, "mangle", t.mangle())
	b = appendTable(b, "nat", t.nat())
	return appendTable(b, "filter", t.filter())
}

// appendTable writes chains, which must be sorted by name, in the notation of
// iptables-save.
func appendTable(b []byte, name string, chains []chain) []byte {
	b = append(b, "*"+name+"\n"...)
	for _, c := range chains {
		b = append(b, ":"+c.name+" - [0:0]\n"...)
	}
	for _, c := range chains {
		for _, r := range c.rules {
			b = append(b, "-A "+c.name+r+"\n"...)
		}
	}
	return append(b, "COMMIT\n"...)
}

// in returns a match on a set with the given dimensions.
func (t *table) in(n setName, dims string) string {
	return " -m set --match-set " + fullName(t.family, n) + " " + dims
}

func (t *table) notIn(n setName, dims string) string {
	return " -m set ! --match-set " + fullName(t.family, n) + " " + dims
}

// outOfRange matches packets from outside a frontend's source ranges.
func (t *table) outOfRange() string {
	return t.in(restricted, "dst,dst") + t.notIn(ranges, "dst,dst,src")
}

func (t *table) reject() string { return xtables.Reject(t.family) }

// mangle drops the node's own packets, because IPVS handles them before the filter
// table, and sets the marks that select virtual services.
func (t *table) mangle() []chain {
	all, always := t.markMasks()
	ours := hex32(always) + "/" + hex32(^(all|t.masqMark)|always)
	output := []string{
		byIPVS + " -g " + translated,
		t.outOfRange() + drop,
		t.in(dropInside, "dst,dst") + drop,
	}
	output = append(output, t.toPods(fromPod)...)
	return []chain{
		{fromNode, []string{" -j SET --map-set " + fullName(t.family, routesNode) + " dst,dst --map-mark"}},
		{fromPod, []string{" -j SET --map-set " + fullName(t.family, routesPods) + " dst,dst --map-mark"}},
		{atInput, append([]string{byIPVS + " -j RETURN"}, t.toClass(fromPod, fromNode)...)},
		{atOutput, append(output, " -g "+fromNode)},
		{translated, []string{" -m mark --mark " + ours + " -j MARK --set-xmark 0x0/" + hex32(all)}},
	}
}

// nat marks packets for masquerading before IPVS handles them, and masquerades
// them afterwards.
func (t *table) nat() []chain {
	bit := hex32(t.masqMark)
	return []chain{
		{fromNode, []string{t.in(masqNode, "dst,dst") + " -j " + mark}},
		{fromPod, []string{t.in(masqPods, "dst,dst") + " -j " + mark}},
		{mark, []string{" -j MARK --set-xmark " + bit + "/" + bit}},
		{masquerade, []string{" -j MARK --set-xmark " + bit + "/0x0", masq}},
		{atOutput, append(t.toPods(fromPod), " -g "+fromNode)},
		{atPostrouting, t.postrouting(bit)},
		{atPrerouting, append(t.toClass(fromPod, fromNode), t.in(masqOutside, "dst,dst")+" -j "+mark)},
	}
}

func (t *table) postrouting(bit string) []string {
	rules := []string{
		" -m mark --mark " + bit + "/" + bit + " -j " + masquerade,
		byIPVS + t.in(hairpins, "dst,dst,src") + masq,
		// A client on the node without a bound address gets the virtual address as
		// its source, because it is local; replies could not reach it.
		byIPVS + t.in(vips, "src") + masq,
	}
	if t.program.Masquerade.Enabled(t.family) {
		rules = append(rules, " -m addrtype ! --dst-type LOCAL"+t.notIn(egressExclusions, "dst")+masq)
	}
	return rules
}

// filter answers packets to frontends without endpoints. It handles received
// packets before IPVS, and the node's own packets after IPVS.
func (t *table) filter() []chain {
	toVIP := t.in(vips, "dst") + " -g " + virtualIPs
	var forward []string
	if t.program.Node.DropInvalid {
		forward = append(forward, " -m conntrack --ctstate INVALID"+drop)
	}
	input := append([]string{byIPVS + " -j RETURN", t.outOfRange() + drop}, t.toClass(inside, inside)...)
	input = append(input, t.in(dropOutside, "dst,dst")+drop, t.in(rejectOutside, "dst,dst")+t.reject(), toVIP)
	return t.admit(t.policed([]chain{
		{atForward, append(forward, newOnly+" -j "+unclaimed)},
		{atInput, input},
		{inside, []string{t.in(dropInside, "dst,dst") + drop, t.in(rejectInside, "dst,dst") + t.reject(), toVIP}},
		{atOutput, []string{
			byIPVS + " -j RETURN",
			t.in(rejectInside, "dst,dst") + t.reject(),
			" -j " + unclaimed,
			t.in(vips, "dst") + t.reject(),
		}},
		{unclaimed, []string{t.in(clusterIPs, "dst") + t.reject(), t.in(serviceCIDRs, "dst") + drop}},
		{virtualIPs, []string{t.in(served, "dst,dst") + " -j RETURN", " -j " + unclaimed, t.reject()}},
	}))
}

// admit accepts known packets in a firewall that drops unknown ones, as Docker and
// ufw configure it: packets to virtual services and health check ports,
// masqueraded packets, and packets of known connections. Policies and Services
// have refused packets before this point.
func (t *table) admit(chains []chain) []chain {
	bit := hex32(t.masqMark)
	for i := range chains {
		switch c := &chains[i]; c.name {
		case atForward:
			c.rules = append(c.rules, " -m mark --mark "+bit+"/"+bit+accept, " -m conntrack --ctstate RELATED,ESTABLISHED"+accept)
		case atInput:
			c.rules = append(c.rules, t.in(served, "dst,dst")+accept, t.in(health, "dst,dst")+accept)
		}
	}
	return chains
}
