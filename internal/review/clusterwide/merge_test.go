package clusterwide

import (
	"net/netip"
	"testing"

	"github.com/planec/planec/ir"
)

// TestOwnNodes: rules about the own node are those of the pod's node, also where pods of
// several nodes have profiles of one ID.
func TestOwnNodes(t *testing.T) {
	program := func(pod, set, node string) *ir.Program {
		tier := ir.Tier{Kind: ir.NetworkTier, Default: ir.Deny, Rules: []ir.Rule{{Action: ir.Accept, AnyPort: true, Peers: []string{set}}}}
		return &ir.Program{Policy: ir.Policy{
			OnDeny:      ir.Drop,
			Profiles:    []ir.Profile{{ID: "shop/own", Pods: []ir.Pod{{Namespace: "shop", Name: pod, Addresses: []netip.Addr{netip.MustParseAddr(pod)}}}, Ingress: []ir.Tier{tier}}},
			AddressSets: []ir.AddressSet{{ID: set, Addresses: []netip.Addr{netip.MustParseAddr(node)}}},
		}}
	}
	out := merge([]*ir.Program{program("10.0.1.1", "on a", "192.0.2.1"), program("10.0.2.1", "on b", "192.0.2.2"), program("10.0.2.2", "on b", "192.0.2.2")})
	if len(out.Profiles) != 2 || out.Profiles[0].ID == out.Profiles[1].ID || len(out.Profiles[1].Pods) != 2 {
		t.Fatalf("profiles: %+v", out.Profiles)
	}
	for i, want := range []string{"on a", "on b"} {
		if got := out.Profiles[i].Ingress[0].Rules[0].Peers[0]; got != want {
			t.Errorf("profile %d lets in %q, want %q", i, got, want)
		}
	}
}
