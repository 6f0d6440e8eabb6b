package irtest

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/ir"
)

// ManyServices returns n Services with 5 endpoints each, the load of the shared figures.
func ManyServices(n int) *ir.Program {
	p := &ir.Program{Node: ir.Node{
		Name:  "node-a",
		Local: ir.LocalDetector{Mode: ir.DetectCIDR, CIDRs: Prefixes("10.0.0.0/12")},
	}}
	for i := range n {
		vip := netip.AddrFrom4([4]byte{10, 96 + byte(i>>16), byte(i >> 8), byte(i)})
		id := fmt.Sprintf("svc-%05d", i)
		pool := ir.Pool{ID: id}
		for j := range 5 {
			k := 5*i + j
			a := netip.AddrFrom4([4]byte{10, byte(k >> 16), byte(k >> 8), byte(k)})
			pool.Endpoints = append(pool.Endpoints, ir.Endpoint{Address: netip.AddrPortFrom(a, 8080), Weight: 1, Local: k%100 == 0})
		}
		p.Pools = append(p.Pools, pool)
		p.ClusterIPs = append(p.ClusterIPs, vip)
		p.Frontends = append(p.Frontends, Frontend(ir.ClusterIP, id, vip.String()+":80", id))
	}
	p.Normalize()
	return p
}
