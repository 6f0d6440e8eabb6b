package iptables

import (
	"strings"

	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/backends/xtpolicy"
	"github.com/planec/planec/ir"
)

const (
	unservedChain  = "PLC-UNSERVED"
	nodePortsChain = "PLC-NODEPORTS"
	internalPrefix = "PLC-INTERNAL-"
	clusterIPChain = "PLC-CLUSTER-IPS"
	translated     = " -m conntrack --ctstate DNAT"
)

// filterTable answers packets to frontends without endpoints. Packets to frontends
// with endpoints have been translated before they reach this table.
func (d *dataplane) filterTable() {
	unserved := d.unserved()
	clusterIPs := d.clusterIPs()
	var forward []string
	if d.program.Node.DropInvalid {
		forward = append(forward, " -m conntrack --ctstate INVALID -j DROP")
	}
	var output []string
	if unserved {
		output = append(output, newConnection+" -j "+unservedChain)
	}
	input := append(output[:len(output):len(output)], jumpTo(d.policy.Input)...)
	d.filter.chain("PLC-INPUT", append(input, d.admitHealth()...)...)
	if clusterIPs {
		output = append(output, newConnection+" -j "+clusterIPChain)
	}
	forward = append(forward, output...)
	forward = append(forward, jumpTo(d.policy.Forward)...)
	d.filter.chain("PLC-FORWARD", append(forward, d.admitMarked()...)...)
	d.filter.chain("PLC-OUTPUT", append(output, jumpTo(d.policy.Output)...)...)
	d.policies()
}

// admitMarked accepts Service packets in a firewall that drops unknown packets, as
// Docker and ufw configure it: packets that are marked for masquerading, and
// packets of known connections (kube-proxy's KUBE-FORWARD). Policies and Services
// have refused packets before this point.
func (d *dataplane) admitMarked() []string {
	return []string{
		" -m mark --mark " + d.mark + "/" + d.mark + " -j ACCEPT",
		" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
	}
}

// admitHealth accepts packets from load balancers to health check ports (KUBE-NODEPORTS).
func (d *dataplane) admitHealth() []string {
	s := &d.sets.health
	for _, h := range d.program.HealthChecks {
		if h.Family != d.ir {
			continue
		}
		for _, half := range d.halves {
			s.end(appendProtocolPort(append(s.next(), half...), ir.TCP, h.Port))
		}
	}
	if !s.used() {
		return nil
	}
	return []string{" -m set --match-set " + s.name + " dst,dst -j ACCEPT"}
}

// policies writes the chains that enforce policies on the remaining packets.
func (d *dataplane) policies() {
	for _, c := range d.policy.Chains {
		d.filter.chain(c.Name, c.Rules...)
	}
	for _, s := range d.policy.Sets {
		x := set{name: s.Name, kind: s.Kind, limit: xtpolicy.MaxElements}
		x.elems = s.AppendAdds(nil, x.name+strings.TrimSpace(freshSuffix))
		d.sets.policy = append(d.sets.policy, x)
	}
}

// jumpTo returns a jump to a chain, or nothing if the name is empty.
func jumpTo(chain string) []string {
	if chain == "" {
		return nil
	}
	return []string{" -j " + chain}
}

// answer pairs a set of frontends with the target for packets to them.
type answer struct {
	set      *set
	target   string
	internal string
}

// unserved writes the chain for frontends without endpoints. Answers for local
// pods and the node precede the answers for all sources.
func (d *dataplane) unserved() bool {
	s := &d.sets
	rules := d.answerRules([]answer{
		{&s.rejectInternal, d.reject, internalPrefix + "REJECT"},
		{&s.dropInternal, " -j DROP", internalPrefix + "DROP"},
		{&s.reject, d.reject, ""},
		{&s.drop, " -j DROP", ""},
	})
	nodePorts := d.answerRules([]answer{
		{&s.npRejectInternal, d.reject, internalPrefix + "REJECT"},
		{&s.npDropInternal, " -j DROP", internalPrefix + "DROP"},
		{&s.nodePortReject, d.reject, ""},
		{&s.nodePortDrop, " -j DROP", ""},
	})
	d.internalChain(&s.rejectInternal, &s.npRejectInternal, "REJECT", d.reject)
	d.internalChain(&s.dropInternal, &s.npDropInternal, "DROP", " -j DROP")
	if len(nodePorts) > 0 {
		d.filter.chain(nodePortsChain, nodePorts...)
		rules = append(rules, d.nodePortRules(" -g "+nodePortsChain)...)
	}
	if len(rules) == 0 {
		return false
	}
	d.filter.chain(unservedChain, append([]string{translated + " -j RETURN"}, rules...)...)
	return true
}

func (d *dataplane) answerRules(list []answer) []string {
	var rules []string
	for _, a := range list {
		if !a.set.used() {
			continue
		}
		target := a.target
		if a.internal != "" {
			target = " -j " + a.internal
		}
		rules = append(rules, " -m set --match-set "+a.set.name+" dst,dst"+target)
	}
	return rules
}

// internalChain writes the answers for packets from local pods and from the node only.
func (d *dataplane) internalChain(byAddress, byNodePort *set, name, target string) {
	if !byAddress.used() && !byNodePort.used() {
		return
	}
	var rules []string
	for _, local := range d.localSources() {
		rules = append(rules, local+target)
	}
	d.filter.chain(internalPrefix+name, append(rules, xtables.FromSelf+target)...)
}

// clusterIPs answers packets to ClusterIP ports without a Service, and to unused ClusterIPs.
func (d *dataplane) clusterIPs() bool {
	s := &d.sets.clusterIPs
	for _, a := range ir.AddrsOf(d.ir, d.program.ClusterIPs) {
		s.end(a.AppendTo(s.next()))
	}
	var rules []string
	if s.used() {
		rules = append(rules, " -m set --match-set "+s.name+" dst"+d.reject)
	}
	for _, p := range ir.PrefixesOf(d.ir, d.program.Node.ServiceCIDRs) {
		rules = append(rules, string(appendPrefix(nil, " -d", p))+" -j DROP")
	}
	if len(rules) == 0 {
		return false
	}
	d.filter.chain(clusterIPChain, append([]string{translated + " -j RETURN"}, rules...)...)
	return true
}
