package bpf_test

import (
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/vethtest"
)

// BenchmarkVeth measures a run of from_pod: on the packets of connections that are known, and on
// packets that are judged and denied. Each figure is the least of several rounds.
func BenchmarkVeth(b *testing.B) {
	h := vethtest.New(b)
	if err := h.Put(policed()); err != nil {
		b.Fatal(err)
	}
	for i, family := range []string{"IPv4", "IPv6"} {
		open := tcp(peer[i], web[i], 1000, 80, vethtest.SYN)
		if _, err := h.To(open.Bytes(), false); err != nil {
			b.Fatal(err)
		}
		for name, p := range map[string]vethtest.Packet{
			"known-TCP": tcp(web[i], peer[i], 80, 1000, vethtest.ACK), "known-UDP": udp(web[i], peer[i], 3000, 53),
			"denied-TCP": tcp(sealed[i], peer[i], 80, 1000, vethtest.SYN),
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
