package iptables

import (
	"net/netip"
	"strconv"

	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/ir"
)

// appendPrefix writes " -s" or " -d" with a prefix. It writes nothing for a prefix
// of length 0, as iptables-save does.
func appendPrefix(b []byte, flag string, p netip.Prefix) []byte {
	if p.Bits() == 0 {
		return b
	}
	b = append(append(b, flag...), ' ')
	return p.AppendTo(b)
}

// appendHost is appendPrefix for one address.
func appendHost(b []byte, flag string, a netip.Addr) []byte {
	return appendPrefix(b, flag, netip.PrefixFrom(a, a.BitLen()))
}

// appendPort writes matches for a protocol and one port.
func appendPort(b []byte, p ir.Protocol, port uint16) []byte {
	return strconv.AppendUint(appendTransport(b, p), uint64(port), 10)
}

// appendTransport writes the protocol and its match module, without the port.
func appendTransport(b []byte, p ir.Protocol) []byte {
	name := p.String()
	b = append(append(b, " -p "...), name...)
	b = append(append(b, " -m "...), name...)
	return append(b, " --dport "...)
}

// localSources returns the matches for packets that the node's detector calls local.
func (d *dataplane) localSources() []string {
	return xtables.LocalSources(d.ir, &d.program.Node.Local)
}

// markRemoteChain marks packets from non-local sources where one rule cannot match
// them.
const markRemoteChain = "PLC-MARK-REMOTE"

// markRule returns the rule that marks a packet for masquerading, or "".
func (d *dataplane) markRule(m ir.MasqueradeRule) (match, target string) {
	always := " -j MARK --set-xmark " + d.mark + "/" + d.mark
	switch m {
	case ir.MasqueradeAlways:
		return "", always
	case ir.MasqueradeUnlessLocalSource:
		local := d.localSources()
		switch {
		case len(local) == 0:
			return "", always
		case len(local) == 1 && local[0] != "":
			return " !" + local[0], always
		}
		d.marksRemote = true
		return "", " -j " + markRemoteChain
	}
	return "", ""
}

// markRemote writes markRemoteChain.
func (d *dataplane) markRemote() {
	if !d.marksRemote {
		return
	}
	var rules []string
	for _, local := range d.localSources() {
		rules = append(rules, local+" -j RETURN")
	}
	d.nat.chain(markRemoteChain, append(rules, " -j MARK --set-xmark "+d.mark+"/"+d.mark)...)
}

// nodePortRules send packets to addresses that serve nodePorts to a target. They must
// be the last rules of a chain, because they return packets to loopback addresses.
func (d *dataplane) nodePortRules(target string) []string {
	var rules []string
	for _, a := range ir.AddrsOf(d.ir, d.program.Node.NodePorts.Addresses) {
		rules = append(rules, string(appendHost(nil, " -d", a))+target)
	}
	prefixes := ir.PrefixesOf(d.ir, d.program.Node.NodePorts.Prefixes)
	if len(prefixes) == 0 {
		return rules
	}
	rules = append(rules, string(appendPrefix(nil, " -d", d.loopback))+" -j RETURN")
	for _, p := range prefixes {
		rules = append(rules, string(appendPrefix(nil, " -d", p))+" -m addrtype --dst-type LOCAL"+target)
	}
	return rules
}
