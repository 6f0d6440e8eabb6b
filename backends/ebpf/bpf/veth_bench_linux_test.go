package bpf_test

import (
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/vethtest"
	"github.com/planec/planec/ir"
)

// BenchmarkVeth measures a run of from_pod: on the packets of connections that are known, and on
// packets that are judged and denied: by a row alone, by its ports, by the row of their source
// port, and with a log that counts them. Each figure is the least of several rounds.
func BenchmarkVeth(b *testing.B) {
	h := vethtest.New(b)
	if err := h.Put(withDialects()); err != nil {
		b.Fatal(err)
	}
	for i, family := range []string{"IPv4", "IPv6"} {
		open := tcp(peer[i], web[i], 1000, 80, vethtest.SYN)
		if _, err := h.To(open.Bytes(), false); err != nil {
			b.Fatal(err)
		}
		for name, p := range map[string]vethtest.Packet{
			"known-TCP": tcp(web[i], peer[i], 80, 1000, vethtest.ACK), "known-UDP": udp(web[i], peer[i], 3000, 53),
			"denied-TCP": tcp(sealed[i], peer[i], 80, 1000, vethtest.SYN), "denied-by-port": tcp(web[i], peer[i], 80, 99, vethtest.SYN),
			"denied-by-source-port": tcp(other[i], peer[i], 80, 99, vethtest.SYN), "denied-and-logged": tcp(other[i], peer[i], 81, 98, vethtest.SYN),
		} {
			b.Run(family+"/"+name, func(b *testing.B) {
				least := time.Duration(1 << 62)
				for b.Loop() {
					for range 10 {
						each, err := h.Cost(p.Bytes())
						if err != nil {
							b.Fatal(err)
						}
						least = min(least, each)
					}
				}
				b.ReportMetric(float64(least), "ns/run")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// withDialects is policed with a pod that may send from another source port, and of which
// packets to a port are logged.
func withDialects() *ir.Program {
	p := policed()
	port := func(n uint16) []ir.PortRange { return []ir.PortRange{{Protocol: ir.TCP, First: n, Last: n}} }
	p.Policy.Profiles = append(p.Policy.Profiles, ir.Profile{
		ID: "shop/other", Pods: []ir.Pod{{Namespace: "shop", Name: "other", Addresses: other}},
		Egress: []ir.Tier{{Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{{Kind: "NetworkPolicy", Namespace: "shop", Name: "n"}}, Rules: []ir.Rule{
			{Action: ir.Log, Prefix: "sent", AnyPeer: true, Ports: port(98)},
			{Action: ir.Accept, AnyPeer: true, Ports: port(97), SourcePorts: port(80)},
		}}},
	})
	p.Normalize()
	return p
}
