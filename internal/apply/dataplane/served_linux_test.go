package dataplane

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	ipvslive "github.com/planec/planec/backends/ipvs/live"
	nft "github.com/planec/planec/backends/nftables/live"
	"github.com/planec/planec/backends/registry"
	xtlive "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

// served reads what an artifact would be in the kernel.
func served(backend string, a backends.Artifact) (backends.Served, error) {
	switch backend {
	case "nftables":
		m, err := nft.Parse(a.File(rulesFile))
		return m.Served(), err
	case "iptables":
		s, err := xtlive.Parse(a)
		return s.Served(), err
	case "ipvs":
		s, err := ipvslive.Parse(a)
		return s.Served(), err
	}
	img, err := ebpf.Read(a.File(ebpf.ImageFile))
	return img.Served(), err
}

// TestServed wants every backend's own form to say which frontends there are and
// which endpoints each of them leads to.
func TestServed(t *testing.T) {
	for name, p := range map[string]*ir.Program{"kitchen-sink": irtest.KitchenSink(), "many": irtest.ManyServices(200), "ports": manyPorts()} {
		for _, backend := range registry.Names() {
			t.Run(name+"/"+backend, func(t *testing.T) {
				selected, err := registry.Select(backends.DefaultOptions(), backend)
				if err != nil {
					t.Fatal(err)
				}
				if len(backends.Check(selected[0], p)) > 0 {
					t.Skip("the backend cannot express all of it")
				}
				a, err := selected[0].Emit(p)
				if err != nil {
					t.Fatal(err)
				}
				s, err := served(backend, a)
				if err != nil {
					t.Fatal(err)
				}
				got := make(map[string][]string)
				for _, f := range s.Frontends {
					if len(f.Endpoints) > 0 {
						got[f.At] = f.Endpoints
					}
				}
				want := wanted(p, backend)
				for at, endpoints := range want {
					if !slices.Equal(got[at], endpoints) {
						t.Errorf("%s: %v, want %v", at, got[at], endpoints)
					}
				}
				for at := range got {
					if backend == "iptables" && want[at] == nil {
						t.Errorf("%s is no frontend", at)
					}
				}
			})
		}
	}
}

// TestServedRefused wants the frontends without endpoints in every backend, with what
// happens to connections; iptables' sets of them have no names.
func TestServedRefused(t *testing.T) {
	p := irtest.ManyServices(3)
	refused := p.Pools[0].ID
	p.Pools[0].Endpoints = nil
	p.Normalize()
	want := make(map[string]string)
	for _, f := range p.Frontends {
		does := backends.ServedForward
		if f.Internal.Pool == refused {
			does = backends.ServedReject
		}
		want[fmt.Sprintf("%v/%v", netip.AddrPortFrom(f.Match.Address, f.Match.Port), f.Match.Protocol)] = does
	}
	for _, backend := range registry.Names() {
		selected, err := registry.Select(backends.DefaultOptions(), backend)
		if err != nil {
			t.Fatal(err)
		}
		a, err := selected[0].Emit(p)
		if err != nil {
			t.Fatal(err)
		}
		s, err := served(backend, a)
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string]string)
		for _, f := range s.Frontends {
			got[f.At] = f.Does
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", backend, got, want)
		}
	}
}

// manyPorts is an address and a node with more ports than iptables has in one list.
func manyPorts() *ir.Program {
	p := irtest.ManyServices(20)
	p.Node.NodePorts.Addresses = irtest.Addrs("192.0.2.1")
	for i, pool := range p.Pools {
		for kind, at := range map[ir.FrontendKind]string{ir.ExternalIP: "203.0.113.1", ir.NodePort: "0.0.0.0"} {
			p.Frontends = append(p.Frontends, irtest.Frontend(kind, pool.ID, fmt.Sprintf("%s:%d", at, 30000+100*i), pool.ID))
		}
	}
	p.Normalize()
	return p
}

// wanted are the frontends with endpoints of a program, by their place. In IPVS
// those with two routes are at marks, and nodePorts at each of the node's
// addresses: those are left out.
func wanted(p *ir.Program, backend string) map[string][]string {
	pools := make(map[string][]string)
	for _, pool := range p.Pools {
		for _, e := range pool.Endpoints {
			pools[pool.ID] = append(pools[pool.ID], e.Address.String())
		}
	}
	out := make(map[string][]string)
	for _, f := range p.Frontends {
		endpoints := slices.Concat(pools[f.Internal.Pool], pools[f.External.Pool])
		slices.Sort(endpoints)
		endpoints = slices.Compact(endpoints)
		if len(endpoints) == 0 || backend == "ipvs" && (f.Kind == ir.NodePort || f.Internal != f.External) {
			continue
		}
		address := f.Match.Address
		if !address.IsValid() {
			address = map[ir.Family]netip.Addr{ir.IPv4: netip.IPv4Unspecified(), ir.IPv6: netip.IPv6Unspecified()}[f.Match.Family]
		}
		at := fmt.Sprintf("%v/%v", netip.AddrPortFrom(address, f.Match.Port), f.Match.Protocol)
		out[at] = append(out[at], endpoints...)
		slices.Sort(out[at])
		out[at] = slices.Compact(out[at])
	}
	return out
}
