package clusterwide

import (
	"math/rand/v2"
	"testing"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// TestPortSets holds the operations against asking port by port.
func TestPortSets(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() *resolve.Row {
		row := &resolve.Row{Accept: r.IntN(2) == 0}
		for _, proto := range append(protocols[:], ir.ICMP, ir.ICMPv6) {
			at := 0
			for range r.IntN(4) {
				first := at + r.IntN(9)
				last := min(first+r.IntN(5), LastPort)
				row.Except = append(row.Except, ir.PortRange{Protocol: proto, First: uint16(first), Last: uint16(last)})
				at = last + 2
			}
			if r.IntN(3) == 0 && at < LastPort {
				row.Except = append(row.Except, ir.PortRange{Protocol: proto, First: 60000, Last: LastPort})
			}
		}
		if r.IntN(2) == 0 {
			row.Except = append(row.Except, ir.EveryPort(47))
		}
		return row
	}
	for range 2000 {
		rowA, rowB := random(), random()
		a, b := rowPorts(rowA), rowPorts(rowB)
		minus, both, either := a.Minus(b), a.Intersect(b), a.Union(b)
		for _, proto := range append(protocols[:], ir.ICMP, ir.ICMPv6, 47, 99) {
			for _, port := range []uint16{0, 1, 2, 3, 5, 8, 9, 13, 20, 30, 59999, 60000, 65534, 65535} {
				inA, inB := a.Contains(proto, port), b.Contains(proto, port)
				if inA != rowA.Accepts(proto, port) {
					t.Fatalf("%+v, %d/%v: row and set differ", rowA, port, proto)
				}
				if minus.Contains(proto, port) != (inA && !inB) || both.Contains(proto, port) != (inA && inB) || either.Contains(proto, port) != (inA || inB) {
					t.Fatalf("%v, %v, %d/%v: %v %v %v", a, b, port, proto, minus, both, either)
				}
			}
		}
		if !minus.Empty() {
			if proto, port := minus.Example(); !minus.Contains(proto, port) {
				t.Fatalf("%d/%v is no example of %v", port, proto, minus)
			}
		}
	}
}

func TestPortSetText(t *testing.T) {
	one := func(first, last int) Ports { return Ports{Spans: [3][]Span{{{first, last}}}} }
	named := func(s Ports, http, other bool) Ports {
		s.Names, s.Named = []string{"http/tcp", "dns/udp"}, []bool{http, other}
		return s
	}
	echo := []ir.PortRange{{Protocol: ir.ICMP, First: ir.TypeAndCode(8, 0), Last: ir.TypeAndCode(8, 255)}}
	but := EveryPort()
	but.Apart = echo
	for want, set := range map[string]Ports{
		"type 8/icmp":                             {Apart: echo},
		"every port but type 8/icmp":              but,
		"protocols without ports but protocol-47": {Other: true, Apart: []ir.PortRange{ir.EveryPort(47)}},
		"80/tcp and the port named http/tcp":      named(one(80, 80), true, false),
		"every port but the port named dns/udp":   named(EveryPort(), true, false),
		"every port":                              EveryPort(),
		"80/tcp":                                  one(80, 80),
		"8000-8999/tcp":                           one(8000, 8999),
		"every tcp port":                          one(0, LastPort),
		"every port but 80/tcp":                   EveryPort().Minus(one(80, 80)),
		"80/tcp and 443/tcp":                      one(80, 80).Union(one(443, 443)),
		"protocols without ports":                 {Other: true},
		"every port but 0-1023/tcp":               EveryPort().Minus(one(0, 1023)),
	} {
		if got := set.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
