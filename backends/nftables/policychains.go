package nftables

import (
	"strconv"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// policyBaseChains writes the chains at the kernel's hooks: egress for packets
// that are forwarded or delivered to the node, ingress for forwarded packets.
// Packets that the node sends meet neither. Accept ends one base chain only, so
// a packet has to pass both directions and other programs' chains after them.
func (t *table) policyBaseChains(w *chainWriter) {
	for i, d := range directions {
		if !t.policy.subjects[i].used() {
			continue
		}
		rules := []string{"ct state established,related accept"}
		if t.ir == ir.IPv6 {
			rules = append(rules, "icmpv6 type 133-137 accept"+t.remark("neighbour discovery"))
		}
		judge := t.ip + " " + d.subject + " vmap @" + t.policy.subjects[i].name
		if d.ir == ir.Egress {
			w.chain(policyInput, "filter hook input priority "+d.priority, append(rules[:len(rules):len(rules)], judge))
		}
		w.chain(d.chain, "filter hook forward priority "+d.priority, append(append(append(rules, t.untrackedJudged(d)...), t.judgedJumps()...), t.noOpener(d, &t.policy.pods[i]), judge))
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
			if tab := p.Table(d.ir); tab != nil {
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
}

// profileRules returns the rules that find the row of a packet from or to such a pod.
func (t *table) profileRules(p *ir.Profile, tab *resolve.Table, d direction) []string {
	var rules []string
	if d.ir == ir.Ingress {
		// A node always reaches its own pods.
		rules = append(rules, "fib saddr type local accept")
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
	rules := []string{"meta priority set none"}
	for rest := r.Except; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Protocol == rest[0].Protocol {
			n++
		}
		rules = append(rules, portMatch(rest[:n])+" "+inside)
		rest = rest[n:]
	}
	return append(rules, outside)
}

func (t *table) refusal() string {
	if t.program.Policy.OnDeny == ir.Reject {
		return "reject"
	}
	return "drop"
}

// portMatch matches ranges of one protocol as nft lists them.
func portMatch(ranges []ir.PortRange) string {
	proto := ranges[0].Protocol.String()
	if len(ranges) == 1 {
		if r := ranges[0]; r.First == 0 && r.Last == 65535 {
			return "meta l4proto " + proto
		}
		return string(appendPorts([]byte(proto+" dport "), ranges[0]))
	}
	b := []byte(proto + " dport { ")
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
