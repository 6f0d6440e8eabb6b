package testkit

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// policyCast has the addresses that a program's policies concern.
type policyCast struct {
	// subjects are the pods of this node that policies select.
	subjects []netip.Addr
	// networks are the prefixes of address sets.
	networks []netip.Prefix
	ports    []Port
}

// addPolicy makes the pods of policies local pods, and other addresses in address
// sets remote hosts.
func (g *generator) addPolicy() {
	p := &g.program.Policy
	for _, profile := range p.Profiles {
		for _, pod := range profile.Pods {
			for _, a := range pod.Addresses {
				g.policy.subjects = append(g.policy.subjects, a)
				if !g.taken[a] {
					g.taken[a] = true
					g.clients[ir.FamilyOf(a)] = append(g.clients[ir.FamilyOf(a)], a)
				}
			}
		}
		for _, d := range ir.Directions() {
			for _, t := range profile.Tiers(d) {
				for _, r := range t.Rules {
					g.addPolicyPorts(r.Ports)
				}
			}
		}
	}
	for _, s := range p.AddressSets {
		for _, a := range s.Addresses {
			if !g.taken[a] {
				g.taken[a] = true
				g.remote[ir.FamilyOf(a)] = append(g.remote[ir.FamilyOf(a)], a)
			}
		}
		g.policy.networks = append(append(g.policy.networks, s.Prefixes...), s.Except...)
	}
}

// addPolicyPorts adds both ends of each range and the ports next to them.
func (g *generator) addPolicyPorts(ranges []ir.PortRange) {
	for _, r := range ranges {
		if !r.Protocol.HasPorts() {
			continue
		}
		for _, n := range []int{int(r.First) - 1, int(r.First), int(r.Last), int(r.Last) + 1} {
			if 0 < n && n < 65536 {
				g.policy.ports = append(g.policy.ports, Port{Protocol: r.Protocol, Number: uint16(n)})
			}
		}
	}
}

// policed returns a flow from or to a pod that policies select.
func (g *generator) policed() (Flow, bool) {
	subject, ok := pick(g.Rand, g.policy.subjects)
	if !ok {
		return Flow{}, false
	}
	peer, ok := g.policyPeer(ir.FamilyOf(subject))
	if !ok || peer == subject || peer.IsLoopback() {
		return Flow{}, false
	}
	f := Flow{Src: subject, Dst: peer}
	if g.IntN(2) == 0 {
		f.Src, f.Dst = peer, subject
	}
	f.From = eval.FromOutside
	switch family := ir.FamilyOf(f.Src); {
	case f.Src == subject, slices.Contains(g.policy.subjects, f.Src), slices.Contains(g.local[family], f.Src), slices.Contains(g.clients[family], f.Src):
		f.From = eval.FromPod
	case g.isNode(f.Src):
		f.From = eval.FromNode
	}
	port, ok := pick(g.Rand, g.policy.ports)
	if !ok || g.IntN(4) == 0 {
		port = Port{Protocol: ir.Protocols()[g.IntN(2)], Number: 8080}
	}
	f.Protocol, f.Port = port.Protocol, port.Number
	if g.IntN(8) == 0 {
		f.Protocol = ir.Protocols()[g.IntN(3)]
	}
	return f, true
}

// policyPeer returns an address of any kind for the other end of a flow.
func (g *generator) policyPeer(family ir.Family) (netip.Addr, bool) {
	switch g.IntN(7) {
	case 0:
		return pick(g.Rand, ir.AddrsOf(family, g.policy.subjects))
	case 1:
		return pick(g.Rand, g.local[family])
	case 2:
		return pick(g.Rand, g.clients[family])
	case 3:
		return pick(g.Rand, g.node[family])
	case 4:
		if p, ok := pick(g.Rand, ir.PrefixesOf(family, g.policy.networks)); ok {
			return g.host(p)
		}
		return g.host(internet(family))
	}
	return pick(g.Rand, g.remote[family])
}
