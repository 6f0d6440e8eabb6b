package cnilayout_test

import (
	"slices"
	"testing"

	"github.com/planec/planec/internal/testing/testkit"
)

func geneve(name string) testkit.Tunnel {
	return testkit.Tunnel{Kind: testkit.Geneve, Name: name, Port: 6081}
}

// TestOverlayGeneve is a tunnel behind routed pods and a bridge: which of both is before it
// matters as little as with VXLAN.
func TestOverlayGeneve(t *testing.T) {
	onlyInside(t)
	run(t,
		node{name: "routed", preset: "calico", layout: testkit.Layout{Pods: proxyARP(), Tunnel: geneve("genev_sys_6081")}},
		node{name: "bridge", preset: "flannel", layout: testkit.Layout{Pods: bridge("cni0"), Tunnel: geneve("genev_sys_6081")}},
	)
}

// TestOtherLayoutsIPVS is backend ipvs on the layouts that other backends are tested on
// outside.
func TestOtherLayoutsIPVS(t *testing.T) {
	onlyInside(t)
	ipvs := testkit.IPVS()
	for _, n := range slices.Concat(bridges()[:1], proxyARPs(), prefixed(), vxlans()[:1]) {
		t.Run(n.name, func(t *testing.T) {
			for _, name := range []string{"cluster-ip", "node-port", "policy-service"} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					n.serve(t, ipvs, byName(t, name))
				})
			}
		})
	}
}

// TestIPVLAN: packets of pods with an address on the network card pass it without the node's
// rules, as with macvlan.
func TestIPVLAN(t *testing.T) {
	onlyInside(t)
	for name, kind := range map[string]testkit.LinkKind{"L2": testkit.IPVLANL2, "L3": testkit.IPVLANL3} {
		t.Run(name, func(t *testing.T) { ownCards(t, kind) })
	}
}

// TestIPVLANSeenInside
func TestIPVLANSeenInside(t *testing.T) {
	onlyInside(t)
	ownCards(t, testkit.IPVLANL3S)
}
