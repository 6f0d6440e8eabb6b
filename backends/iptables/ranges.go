package iptables

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// addRanges adds the frontend's source ranges. It skips ranges of length 0, which
// allow every source and which ipset does not accept.
func (d *dataplane) addRanges(f *ir.Frontend) {
	if !restricted(f) {
		return
	}
	d.sets.restricted.end(appendKey(d.sets.restricted.next(), f.Match))
	for _, p := range f.SourceRanges {
		b := append(appendKey(d.sets.ranges.next(), f.Match), ',')
		d.sets.ranges.end(p.AppendTo(b))
	}
}

func restricted(f *ir.Frontend) bool {
	return len(f.SourceRanges) > 0 && !slices.ContainsFunc(f.SourceRanges, func(p netip.Prefix) bool { return p.Bits() == 0 })
}

const (
	newConnection      = " -m conntrack --ctstate NEW"
	nodePortRangeChain = "PLC-NODEPORT-RANGES"
	sourceRangeChain   = "PLC-SOURCE-RANGES"
)

// mangleTable drops packets from sources outside the source ranges before DNAT;
// the nat table cannot drop.
func (d *dataplane) mangleTable() {
	var rules []string
	if d.sets.restricted.used() {
		rules = append(rules, " -m set --match-set "+d.sets.restricted.name+" dst,dst -m set ! --match-set "+d.sets.ranges.name+" dst,dst,src -j DROP")
	}
	if d.nodePortRanges() {
		rules = append(rules, d.nodePortRules(" -g "+nodePortRangeChain)...)
	}
	var jump []string
	if len(rules) > 0 {
		d.mangle.chain(sourceRangeChain, rules...)
		jump = []string{newConnection + " -j " + sourceRangeChain}
	}
	d.mangle.chain("PLC-PREROUTING", jump...)
	d.mangle.chain("PLC-OUTPUT", jump...)
}

// nodePortRanges writes the source ranges of nodePorts as plain rules and reports
// whether there are any. Kubernetes has no such ranges.
func (d *dataplane) nodePortRanges() bool {
	var rules []string
	for _, f := range d.frontends() {
		if f.Kind != ir.NodePort || !restricted(f) {
			continue
		}
		to := appendPort(nil, f.Match.Protocol, f.Match.Port)
		for _, other := range d.frontends() {
			if d.shadows(other) && portKey(other.Match) == portKey(f.Match) {
				rules = append(rules, string(appendHost(nil, " -d", other.Match.Address))+string(to)+" -j RETURN")
			}
		}
		for _, p := range f.SourceRanges {
			rules = append(rules, string(appendPrefix(nil, " -s", p))+string(to)+" -j RETURN")
		}
		rules = append(rules, string(to)+" -j DROP")
	}
	if len(rules) > 0 {
		d.mangle.chain(nodePortRangeChain, rules...)
	}
	return len(rules) > 0
}
