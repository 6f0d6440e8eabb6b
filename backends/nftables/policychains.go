package nftables

import (
	"strconv"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// policyBaseChains writes the chains at the kernel's hooks: egress for packets
// that are forwarded or delivered to the node, ingress for forwarded packets.
// Packets that the node sends meet neither, unless a rule is for packets from the own
// node, or for the node itself. Accept ends one base chain only, so
// a packet has to pass both directions and other programs' chains after them.
func (t *table) policyBaseChains(w *chainWriter) {
	for i, d := range directions {
		if !t.policy.subjects[i].used() {
			continue
		}
		rules := t.passing()
		judge := t.ip + " " + d.subject + " vmap @" + t.policy.subjects[i].name
		if d.ir == ir.Egress {
			w.chain(policyInput, "filter hook input priority "+d.priority, append(rules[:len(rules):len(rules)], judge))
		}
		w.chain(d.chain, "filter hook forward priority "+d.priority, append(append(append(rules, t.untrackedJudged(d)...), t.judgedJumps()...), t.noOpener(d, &t.policy.pods[i]), judge))
		if d.ir == ir.Ingress && t.policy.judgesOwn() {
			w.chain(policyOwn, "filter hook output priority "+d.priority, append(t.passing(), judge))
		}
	}
	t.nodeBaseChains(w)
}

// passing accepts what no policy judges.
func (t *table) passing() []string {
	rules := []string{"ct state established,related accept"}
	if t.ir == ir.IPv6 {
		rules = append(rules, "icmpv6 type 133-137 accept"+t.remark("neighbour discovery"))
	}
	return rules
}

// nodeBaseChains writes the chains for the policies of the node itself: what it sends to
// others, and what others send to it. What arrives for many (broadcast, multicast) is not
// judged.
func (t *table) nodeBaseChains(w *chainWriter) {
	node := t.policy.node
	if node == nil {
		return
	}
	if node.Egress != nil {
		rules := append(t.passing(), "fib daddr type local accept", "goto "+directions[0].prefix+node.ID)
		w.chain(nodeOutput, "filter hook output priority "+directions[0].priority, rules)
	}
	if node.Ingress != nil {
		rules := append(t.passing(), "fib daddr type local goto "+directions[1].prefix+node.ID)
		w.chain(nodeInput, "filter hook input priority "+directions[1].priority, rules)
	}
}

// noOpener refuses a TCP segment that opens no connection, belongs to none that
// conntrack knows, and travels as a reply from or to a pod of the direction. Its
// connection has ended or was never accepted. The policies of the other direction
// must not judge it as if its sender had opened a connection.
func (t *table) noOpener(d direction, pods *set) string {
	return "ct state invalid,new tcp flags ! syn fib saddr type != local " + t.ip + " " + d.peer + " @" + pods.name + " " + t.refusal()
}

// policyChains writes the chains that policyBaseChains go to.
func (t *table) policyChains(w *chainWriter) {
	x := &t.policy
	if x.resolved == nil {
		return
	}
	t.judged(w)
	for _, d := range directions {
		for i := range x.resolved.Profiles {
			p := &x.resolved.Profiles[i]
			if tab := p.Table(d.ir); tab != nil && x.hasChain(p, d.ir) {
				w.chain(d.prefix+p.ID, "", t.profileRules(p.Profile, tab, d))
			}
		}
		if x.hosts.always {
			w.chain(d.peerChain, "", t.peerRules(d))
		}
	}
	for i := range x.resolved.Rows {
		if x.wanted[i] {
			w.chain(rowChain(&x.resolved.Rows[i]), "", t.rowRules(&x.resolved.Rows[i]))
		}
	}
	t.logChains(w)
}

// profileRules returns the rules that find the row of a packet from or to such a pod.
func (t *table) profileRules(p *ir.Profile, tab *resolve.Table, d direction) []string {
	var rules []string
	if d.ir == ir.Ingress {
		// A node always reaches its own pods, and itself, unless a rule is for that.
		own := "accept"
		if tab.Own >= 0 {
			own = "goto " + rowChain(&t.policy.resolved.Rows[tab.Own])
		}
		rules = append(rules, "fib saddr type local "+own)
	}
	if namesPeers(p.Tiers(d.ir)) {
		byClass := "meta priority vmap @" + d.prefix + p.ID
		others := string(appendHandle(nil, t.policy.others))
		return append(rules, "jump "+d.peerChain, byClass, "meta priority set "+others, byClass)
	}
	return append(rules, "goto "+rowChain(&t.policy.resolved.Rows[tab.Default]))
}

// peerRules write the class of the peer to meta priority. A map without the
// address leaves the priority unchanged.
func (t *table) peerRules(d direction) []string {
	rules := []string{"meta priority set none"}
	for _, m := range []*set{&t.policy.networks, &t.policy.hosts} {
		if m.used() {
			rules = append(rules, "meta priority set "+t.ip+" "+d.peer+" map @"+m.name)
		}
	}
	return rules
}

func rowChain(r *resolve.Row) string { return rowWord + r.ID }

// rowRules decide by protocol and port, one rule for each protocol. The kernel
// keeps a set of single ports as a bitmap and a set of ranges as a tree, but it
// would search ranges of a concatenation one after the other.
func (t *table) rowRules(r *resolve.Row) []string {
	inside, outside := t.refusal(), "accept"
	if !r.Accept {
		inside, outside = outside, inside
	}
	rules := append([]string{"meta priority set none"}, t.sourceRules(r)...)
	for i := range r.Logs {
		rules = append(rules, t.logRules(&r.Logs[i])...)
	}
	for _, match := range t.matches(r.Except) {
		rules = append(rules, match+" "+inside)
	}
	return append(rules, outside)
}

// sourceRules lead to the rows of source ports.
func (t *table) sourceRules(r *resolve.Row) []string {
	var rules []string
	for rest := r.Sources; len(rest) > 0; {
		same := []ir.PortRange{rest[0].Ports}
		var others []resolve.SourceRow
		for _, s := range rest[1:] {
			if s.Row == rest[0].Row && s.Ports.Protocol == rest[0].Ports.Protocol {
				same = append(same, s.Ports)
			} else {
				others = append(others, s)
			}
		}
		rules = append(rules, portMatch("sport", same)+" goto "+rowChain(&t.policy.resolved.Rows[rest[0].Row]))
		rest = others
	}
	return rules
}

// logRules log packets. What is not logged of a log for everything has to pass by it.
func (t *table) logRules(l *resolve.Log) []string {
	log := `log prefix "` + l.Prefix + `"`
	if !l.Every {
		var rules []string
		for _, match := range t.matches(l.Except) {
			rules = append(rules, match+" "+log)
		}
		return rules
	}
	if len(l.Except) == 0 {
		return []string{log}
	}
	return []string{"jump " + logChain(l)}
}

// logChain is the chain of a log for everything but some ports.
func logChain(l *resolve.Log) string { return logWord + resolve.LogName(l) }

// logChains write the chains that logRules jump to.
func (t *table) logChains(w *chainWriter) {
	done := make(map[string]bool)
	for i := range t.policy.resolved.Rows {
		for j := range t.policy.resolved.Rows[i].Logs {
			l := &t.policy.resolved.Rows[i].Logs[j]
			if name := logChain(l); t.policy.wanted[i] && l.Every && len(l.Except) > 0 && !done[name] {
				done[name] = true
				var rules []string
				for _, match := range t.matches(l.Except) {
					rules = append(rules, match+" return")
				}
				w.chain(name, "", append(rules, `log prefix "`+l.Prefix+`"`))
			}
		}
	}
}

// matches returns matches that together are the ranges, which are sorted by protocol.
func (t *table) matches(ranges []ir.PortRange) []string {
	var out []string
	for len(ranges) > 0 {
		n := 1
		for n < len(ranges) && ranges[n].Protocol == ranges[0].Protocol {
			n++
		}
		switch proto := ranges[0].Protocol; {
		case proto.HasPorts():
			out = append(out, portMatch("dport", ranges[:n]))
		case ranges[0].Every():
			out = append(out, "meta l4proto "+protocolName(proto))
		default:
			for _, r := range ranges[:n] {
				out = append(out, t.typeMatches(r)...)
			}
		}
		ranges = ranges[n:]
	}
	return out
}

// typeMatches match a range of types and codes: whole types by their type, others by both.
func (t *table) typeMatches(r ir.PortRange) []string {
	const codes = 256
	raw := func(first, last uint32) string {
		b := append([]byte("meta l4proto "+protocolName(r.Protocol)), " @th,0,16 "...)
		return string(appendPorts(b, ir.PortRange{First: uint16(first), Last: uint16(last)}))
	}
	first, next := uint32(r.First), uint32(r.Last)+1
	wholeFirst, wholeNext := (first+codes-1)/codes*codes, next/codes*codes
	if wholeFirst >= wholeNext || protocolName(r.Protocol) != t.icmp {
		return []string{raw(first, next-1)}
	}
	var out []string
	if first < wholeFirst {
		out = append(out, raw(first, wholeFirst-1))
	}
	b := append([]byte(r.Protocol.String()), " type "...)
	out = append(out, string(appendPorts(b, ir.PortRange{First: uint16(wholeFirst / codes), Last: uint16(wholeNext/codes - 1)})))
	if wholeNext < next {
		out = append(out, raw(wholeNext, next-1))
	}
	return out
}

// protocolName is nft's word for a protocol, or its number.
func protocolName(p ir.Protocol) string {
	switch p {
	case ir.ICMPv6:
		return "ipv6-icmp"
	case ir.TCP, ir.UDP, ir.SCTP, ir.ICMP:
		return p.String()
	}
	return strconv.Itoa(int(p))
}

func (t *table) refusal() string {
	if t.program.Policy.OnDeny == ir.Reject {
		return "reject"
	}
	return "drop"
}

// portMatch matches ranges of one protocol as nft lists them; field is dport or sport.
func portMatch(field string, ranges []ir.PortRange) string {
	proto := ranges[0].Protocol.String()
	if len(ranges) == 1 {
		if r := ranges[0]; r.Every() {
			return "meta l4proto " + proto
		}
		return string(appendPorts([]byte(proto+" "+field+" "), ranges[0]))
	}
	b := []byte(proto + " " + field + " { ")
	for i, r := range ranges {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendPorts(b, r)
	}
	return string(append(b, " }"...))
}

func appendPorts(b []byte, r ir.PortRange) []byte {
	b = strconv.AppendUint(b, uint64(r.First), 10)
	if r.Last != r.First {
		b = strconv.AppendUint(append(b, '-'), uint64(r.Last), 10)
	}
	return b
}
