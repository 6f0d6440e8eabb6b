package iptables

import "github.com/planec/planec/ir"

const (
	servicesChain   = "PLC-SERVICES"
	masqueradeChain = "PLC-MASQUERADE"
	egressChain     = "PLC-EGRESS"
	masquerade      = " -j MASQUERADE --random-fully"
)

// natTable writes the chains that find a frontend, and those that masquerade
// packets.
func (d *dataplane) natTable() {
	var jump []string
	if d.services() {
		jump = []string{" -j " + servicesChain}
	}
	d.nat.chain("PLC-PREROUTING", jump...)
	d.nat.chain("PLC-OUTPUT", jump...)
	d.markRemote()
	d.postrouting()
}

// services writes the dispatch: first by address, then by nodePort.
func (d *dataplane) services() bool {
	var tail []string
	if len(d.nodePorts) > 0 {
		d.dispatchPorts(nodePortsChain, d.nodePorts, nodePortCuts(len(d.nodePorts)), nodePortChain)
		tail = d.nodePortRules(" -g " + nodePortsChain)
	}
	if len(d.entries)+len(tail) == 0 {
		return false
	}
	d.dispatchAddresses(servicesChain, d.entries, tail)
	return true
}

// postrouting masquerades the packets that a Service chain marked, then hairpin
// packets, then the node's egress.
func (d *dataplane) postrouting() {
	var rules []string
	if d.marks() {
		d.nat.chain(masqueradeChain, " -j MARK --set-xmark "+d.mark+"/0x0", masquerade)
		rules = append(rules, " -m mark --mark "+d.mark+"/"+d.mark+" -j "+masqueradeChain)
	}
	if d.sets.hairpin.used() {
		rules = append(rules, translated+" -m set --match-set "+d.sets.hairpin.name+" src,dst,dst"+masquerade)
	}
	if d.program.Masquerade.Enabled(d.ir) {
		d.egress()
		rules = append(rules, " -j "+egressChain)
	}
	d.nat.chain("PLC-POSTROUTING", rules...)
}

func (d *dataplane) marks() bool {
	for s := range d.steps {
		if s.masquerade != ir.MasqueradeNever {
			return true
		}
	}
	return false
}

// egress writes the node's egress rule (that of ip-masq-agent).
func (d *dataplane) egress() {
	var rules []string
	for _, p := range ir.PrefixesOf(d.ir, d.program.Masquerade.Exclude) {
		rules = append(rules, string(appendPrefix(nil, " -d", p))+" -j RETURN")
	}
	d.nat.chain(egressChain, append(rules, " -m addrtype ! --dst-type LOCAL"+masquerade)...)
}
