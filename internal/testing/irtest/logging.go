package irtest

import "github.com/planec/planec/ir"

// Logging returns a program with one pod, 10.1.0.2 and fd00:10:1::2, whose ingress logs
// what comes to port 80, which is allowed, and to port 82, which is not, and echo
// requests; and not what comes to port 81, which is allowed. The prefixes begin with the
// given one.
func Logging(prefix string) *ir.Program {
	p := &ir.Program{Node: ir.Node{
		Name: "node-a", Addresses: Addrs("192.168.9.1", "fd00:9::1"), Local: ir.LocalDetector{Mode: ir.DetectNone},
	}}
	rule := func(name string, a ir.Action, ports ...ir.PortRange) ir.Rule {
		r := ir.Rule{Action: a, AnyPeer: true, Ports: ports, Origin: ir.Origin{Kind: "NetworkPolicy", Namespace: "shop", Name: name, Path: "spec.ingress[0]"}}
		if a == ir.Log {
			r.Prefix = prefix + " " + name + ": "
		}
		return r
	}
	tcp := func(port uint16) ir.PortRange { return ir.PortRange{Protocol: ir.TCP, First: port, Last: port} }
	p.Policy.OnDeny = ir.Drop
	p.Policy.Profiles = []ir.Profile{{
		ID: "logging", Pods: []ir.Pod{{Namespace: "shop", Name: "web", Addresses: Addrs("10.1.0.2", "fd00:10:1::2")}},
		Ingress: []ir.Tier{{
			Kind: ir.NamedTier, Name: "default", Default: ir.Deny, Isolating: []ir.Origin{{Kind: "NetworkPolicy", Namespace: "shop", Name: "closed", Path: "spec"}},
			Rules: []ir.Rule{
				rule("open", ir.Log, tcp(80)),
				rule("echo", ir.Log, ir.PortRange{Protocol: ir.ICMP, First: 2048, Last: 2303}, ir.PortRange{Protocol: ir.ICMPv6, First: 32768, Last: 33023}),
				rule("open", ir.Accept, tcp(80), tcp(81), ir.EveryPort(ir.ICMP), ir.EveryPort(ir.ICMPv6)),
				rule("closed", ir.Log, tcp(82)),
			},
		}},
	}}
	p.Normalize()
	return p
}
