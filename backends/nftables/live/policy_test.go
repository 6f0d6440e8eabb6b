package live

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/ir"
)

// addProfiles gives the program n profiles, each of one pod, which takes one port
// from ten peers.
func addProfiles(p *ir.Program, n int) {
	p.Policy = ir.Policy{OnDeny: ir.Drop}
	for i := range n {
		set := ir.AddressSet{ID: fmt.Sprintf("peers-%04d", i)}
		for k := range 10 {
			set.Addresses = append(set.Addresses, netip.AddrFrom4([4]byte{10, 20, byte(i), byte(k)}))
		}
		p.Policy.AddressSets = append(p.Policy.AddressSets, set)
		port := uint16(10001 + 2*i)
		p.Policy.Profiles = append(p.Policy.Profiles, ir.Profile{
			ID:   fmt.Sprintf("shop/app-%04d", i),
			Pods: []ir.Pod{{Namespace: "shop", Name: fmt.Sprintf("app-%04d-0", i), Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 200, byte(i)})}}},
			Ingress: []ir.Tier{{Kind: ir.NetworkTier, Default: ir.Deny, Rules: []ir.Rule{{
				Action: ir.Accept, Peers: []string{set.ID}, Ports: []ir.PortRange{{Protocol: ir.TCP, First: port, Last: port}},
			}}}},
		})
	}
	p.Normalize()
}
