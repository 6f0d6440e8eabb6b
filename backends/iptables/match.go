package iptables

import (
	"net/netip"
	"strconv"

	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/ir"
)

// appendPrefix writes " -s" or " -d" with a prefix. iptables-save leaves a
// prefix of length 0 out, so it is left out.
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

// appendPort writes a protocol and one port of it.
func appendPort(b []byte, p ir.Protocol, port uint16) []byte {
	return strconv.AppendUint(appendTransport(b, p), uint64(port), 10)
}

// appendTransport writes a protocol and its match, up to the port.
func appendTransport(b []byte, p ir.Protocol) []byte {
	name := p.String()
	b = append(append(b, " -p "...), name...)
	b = append(append(b, " -m "...), name...)
	return append(b, " --dport "...)
}

// localSources are the matches of packets that the node's detector calls local.
func (d *dataplane) localSources() []string {
	return xtables.LocalSources(d.ir, &d.program.Node.Local)
}

// markRemoteChain marks what is not from a local source, where one rule cannot
// say that.
const markRemoteChain = "PLC-MARK-REMOTE"

// markRule is the rule that marks a packet for masquerading, or "".
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

// markRemote writes that chain.
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

// nodePortRules send destinations that nodePorts are served on to a target. A
// chain must end with them, since they return what is for loopback.
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
