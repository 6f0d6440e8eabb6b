package dataplane_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestServiceWithAPodsAddress: alice may reach bob alone. A Service of bob with the address of carol
// as its external one takes her to bob, or nowhere, but not to carol.
func TestServiceWithAPodsAddress(t *testing.T) {
	p := policed()
	var flows []testkit.Flow
	for _, protocol := range []ir.Protocol{ir.TCP, ir.UDP} {
		f := irtest.Frontend(ir.ExternalIP, "bob", netip.AddrPortFrom(carol, served).String(), "bob")
		f.Match.Protocol, f.Service.Protocol = protocol, protocol
		f.ID = fmt.Sprintf("shop/bob/carol/%v", protocol)
		p.Frontends = append(p.Frontends, f)
		flows = append(flows, testkit.Flow{From: eval.FromPod, Src: alice, Dst: carol, Port: served, Protocol: protocol})
	}
	for _, c := range []struct{ atInterfaces, direct bool }{{false, false}, {true, false}, {true, true}} {
		t.Run(fmt.Sprintf("interfaces=%t,direct=%t", c.atInterfaces, c.direct), func(t *testing.T) {
			g := newGuarded(t) // sockets are in no cgroup: rules give them endpoints
			g.direct = c.direct
			g.put(g.entry(p, c.atInterfaces))
			got, err := g.rig.Try(t.Context(), flows, testkit.DefaultTimeout)
			if err != nil {
				t.Fatal(err)
			}
			for i, o := range got {
				if o.Fate == testkit.Answered && o.Endpoint.Addr() != bob || o.Fate != testkit.Answered && !c.atInterfaces {
					t.Errorf("%v: %v", flows[i], o)
				}
			}
		})
	}
}
