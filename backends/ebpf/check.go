package ebpf

import (
	"fmt"
	"math"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/resolve"
)

// Check reports what Emit refuses or closes: frontends with a pool whose weights exceed
// 32 bits, the policies that are given up because all policies together are too large,
// and what the rules for packets have no room for (package nftables). What sockets leave
// to packets is no finding: it is served. A node that masquerades everything is told that
// sockets do not.
func (b *Backend) Check(p *ir.Program) diag.List {
	var list diag.List
	heavy := tooHeavy(p)
	for i := 0; i < len(p.Frontends) && len(heavy) > 0; i++ {
		f := &p.Frontends[i]
		if r := heavy.refusal(f); r != nil {
			list.Add(diag.NotExpressible, f.Origin.At(r.field), fmt.Sprintf("service %v: frontend %v: %s", f.Service, f.Match, r.why))
		}
	}
	unmasqueraded(p, &list)
	_, refused := backends.Fit(p, b.fits)
	backends.Report(&list, append(refused, nftables.Refused(p)...))
	list.Sort()
	return list
}

// unmasqueraded says once that a setting of the node does not hold for sockets: what is
// decided when a socket connects is not translated on the wire, so its source stays.
func unmasqueraded(p *ir.Program, list *diag.List) {
	for i := range p.Frontends {
		if f := &p.Frontends[i]; f.Kind == ir.ClusterIP && f.Internal.Masquerade == ir.MasqueradeAlways {
			list.Add(diag.Approximated, ir.Origin{}, "masqueradeAll holds for packets only: of connections that sockets are sent to an endpoint for, the endpoint sees the client's own address")
			return
		}
	}
}

// fits reports whether the maps have room for a policy. Nearly all policies are so
// small that an upper bound suffices and nothing has to be resolved.
func (b *Backend) fits(p *ir.Policy) error {
	if classes, tables := mostClasses(p); classes <= maxClasses && tables*(classes+1) <= maxRows && logs(p) <= layout.MaxLogs {
		return nil
	}
	_, err := resolvePolicy(p, b.opts.Hash, &resolve.Memo{})
	return err
}

// mostClasses returns upper bounds for the classes of addresses of a policy (each
// begins with an address or a network of a set) and for its tables.
func mostClasses(p *ir.Policy) (classes, tables int) {
	for i := range p.AddressSets {
		s := &p.AddressSets[i]
		classes += len(s.Addresses) + len(s.Prefixes) + len(s.Except)
	}
	return classes, 2 * len(p.Profiles)
}

// logs returns the number of the rules that log.
func logs(p *ir.Policy) (n int) {
	for i := range p.Profiles {
		for _, d := range ir.Directions() {
			for _, t := range p.Profiles[i].Tiers(d) {
				for j := range t.Rules {
					if t.Rules[j].Action == ir.Log {
						n++
					}
				}
			}
		}
	}
	return n
}

// refusal is the reason why a frontend cannot be expressed, and the responsible
// field of the Service.
type refusal struct {
	field, why string
}

// heavyPools are pools that cannot be expressed, by ID: nearly always none.
type heavyPools map[string]bool

// tooHeavy returns the pools whose weights add up to too much.
func tooHeavy(p *ir.Program) heavyPools {
	var heavy heavyPools
	for i := range p.Pools {
		if len(p.Pools[i].Endpoints) <= someEndpoints {
			continue
		}
		if _, ok := totalWeight(&p.Pools[i]); ok {
			continue
		}
		if heavy == nil {
			heavy = make(heavyPools)
		}
		heavy[p.Pools[i].ID] = true
	}
	return heavy
}

// refusal returns nil if the frontend can be expressed. Check and Emit both use
// it, so that exactly the reported frontends refuse packets.
func (h heavyPools) refusal(f *ir.Frontend) *refusal {
	for _, r := range [...]*ir.Route{&f.Internal, &f.External} {
		if h[r.Pool] {
			return &refusal{f.Origin.Get().Path, fmt.Sprintf("the weights of pool %s add up to more than %d", r.Pool, uint32(math.MaxUint32))}
		}
	}
	return nil
}

// someEndpoints are so few that no weights of theirs are too large together.
const someEndpoints = math.MaxUint32 / math.MaxUint16

// totalWeight returns the sum of the weights, and false if the sum is too large
// for the layout.
func totalWeight(pool *ir.Pool) (uint32, bool) {
	var sum uint64
	for i := range pool.Endpoints {
		sum += uint64(pool.Endpoints[i].Weight)
	}
	return uint32(sum), sum <= math.MaxUint32
}
