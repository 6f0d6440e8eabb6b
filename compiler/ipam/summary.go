package ipam

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// result sorts what was done by name.
func (a *allocator) result() Result {
	out := Result{Diagnostics: a.diags}
	for _, r := range a.ordered {
		out.Services = append(out.Services, r.out)
		out.Diagnostics = append(out.Diagnostics, r.out.Findings...)
	}
	slices.SortFunc(out.Services, func(a, b Assignment) int { return a.Service.Compare(b.Service) })
	out.Diagnostics.Sort()
	out.Pools = a.uses()
	return out
}

// uses counts the addresses of pools.
func (a *allocator) uses() []PoolUse {
	used := make(map[*pool]*[2]uint64)
	outside := make(map[*pool]*[2]uint64) // used although it is never given: who had it keeps it
	for _, p := range a.pools {
		used[p], outside[p] = new([2]uint64), new([2]uint64)
	}
	for addr, h := range a.taken.by {
		f := familyIndex(ir.FamilyOf(addr))
		used[h.pool][f]++
		if a.isReserved(h.pool, addr) {
			outside[h.pool][f]++
		}
	}
	out := make([]PoolUse, 0, len(a.pools))
	for _, p := range a.pools {
		u := PoolUse{Name: p.name, Origin: p.at, Conflict: p.conflict, Disabled: p.disabled, Used: *used[p]}
		for f, size := range p.sizes() {
			if p.conflict != "" {
				break // another pool counts what both have
			}
			u.Free[f] = minus(size, u.Used[f]-outside[p][f])
		}
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b PoolUse) int { return a.Name.compare(b.Name) })
	return out
}

// isReserved reports whether an address is one that the pool does not give.
func (a *allocator) isReserved(p *pool, addr netip.Addr) bool {
	return slices.ContainsFunc(a.index.of(addr), func(x place) bool { return x.pool == p && x.reserved(addr) })
}

// sizes counts the addresses that a pool gives.
func (p *pool) sizes() (out [2]uint64) {
	for _, b := range p.blocks {
		n, f := b.count(), familyIndex(ir.FamilyOf(b.lo))
		if p.avoidBuggy {
			n = minus(n, b.buggyCount())
		}
		if b.ends {
			n = minus(n, 2)
		}
		out[f] = plus(out[f], n)
	}
	return out
}
