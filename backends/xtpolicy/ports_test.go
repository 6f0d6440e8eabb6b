package xtpolicy

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/planec/planec/ir"
)

// TestDifference compares with a difference computed port by port.
func TestDifference(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const ports = 40
	list := func() (out []ir.PortRange, has [3][ports]bool) {
		for i, p := range ir.Protocols() {
			for at := rng.IntN(8); at < ports; at += 2 + rng.IntN(10) {
				last := min(at+rng.IntN(6), ports-1)
				out = append(out, ir.PortRange{Protocol: p, First: uint16(at), Last: uint16(last)})
				for j := at; j <= last; j++ {
					has[i][j] = true
				}
				at = last
			}
		}
		return out, has
	}
	for range 2000 {
		a, hasA := list()
		b, hasB := list()
		got := difference(a, b)
		for i, p := range ir.Protocols() {
			for port := range ports {
				in := slices.ContainsFunc(got, func(r ir.PortRange) bool { return r.Contains(p, uint16(port)) })
				if in != (hasA[i][port] != hasB[i][port]) {
					t.Fatalf("%v and %v: %v", a, b, got)
				}
			}
		}
		for i := 1; i < len(got); i++ {
			if x, y := got[i-1], got[i]; x.Protocol == y.Protocol && int(x.Last)+1 >= int(y.First) {
				t.Fatalf("%v and %v: %v is not as short as can be", a, b, got)
			}
		}
	}
	whole := []ir.PortRange{{Protocol: ir.UDP, Last: 65535}}
	if got := difference(whole, nil); !slices.Equal(got, whole) {
		t.Errorf("a whole protocol: %v", got)
	}
}

// TestGroups: no rule has more ports than the match accepts.
func TestGroups(t *testing.T) {
	var all []ir.PortRange
	for i := range 100 {
		all = append(all, ir.PortRange{Protocol: ir.TCP, First: uint16(10 * i), Last: uint16(10*i + i%3)})
	}
	var joined []ir.PortRange
	for _, g := range groups(all) {
		n := 0
		for _, r := range g {
			if n++; r.First != r.Last {
				n++
			}
		}
		if n > mostPorts {
			t.Errorf("%d ports in %v", n, g)
		}
		joined = append(joined, g...)
	}
	if !slices.Equal(joined, all) {
		t.Error("not all ports are in groups")
	}
}
