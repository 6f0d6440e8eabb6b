package ipam

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// fill gives a Service that asks for no address one of each family.
func (a *allocator) fill(r *request) {
	if len(r.asked) > 0 || r.unreadable || r.object.DeletionTimestamp != nil {
		return
	}
	for _, f := range r.lacking() {
		a.joinOne(r, f)
	}
	lacking := r.lacking()
	if len(lacking) > 1 {
		a.both(r, lacking)
	}
	for _, f := range r.lacking() {
		a.one(r, f)
	}
	lacking = r.lacking()
	if r.preferred && len(lacking) < len(r.families) {
		return
	}
	for _, f := range lacking {
		a.explain(r, f)
	}
}

// lacking returns the Service's families without an address.
func (r *request) lacking() []ir.Family {
	return slices.DeleteFunc(slices.Clone(r.families), func(f ir.Family) bool {
		return slices.ContainsFunc(r.out.Addresses, func(x Address) bool { return ir.FamilyOf(x.Addr) == f })
	})
}

// open reports whether a pool gives a Service an address that it does not ask for.
func (a *allocator) open(r *request, p *pool) bool {
	return p.gives() && (!p.onRequest || r.pool != "") && a.named(r, p) && p.selects(r)
}

// joinOne gives a Service an address that others share with its key, the oldest first.
func (a *allocator) joinOne(r *request, f ir.Family) {
	for _, key := range r.share.keys() {
		tried := 0
		for _, addr := range a.taken.shared[key] {
			if ir.FamilyOf(addr) != f {
				continue
			}
			if tried++; tried > maxShared {
				break
			}
			if h := a.taken.by[addr]; h.refuses(r) == "" && a.open(r, h.pool) {
				a.take(r, addr, h.pool, Shared)
				return
			}
		}
	}
}

// both gives a Service addresses of two families of one pool, where a pool that gives them
// together has both.
func (a *allocator) both(r *request, families []ir.Family) {
	for _, p := range a.pools {
		if !p.together {
			continue
		}
		var found []netip.Addr
		for _, f := range families {
			if addr := a.lowest(p, f); addr.IsValid() {
				found = append(found, addr)
			}
		}
		if len(found) < len(families) || !a.open(r, p) {
			continue
		}
		for _, addr := range found {
			a.take(r, addr, p, Fresh)
		}
		return
	}
}

// one gives a Service an address of a family: of the pool that it has another address of, or
// of the first one that has one.
func (a *allocator) one(r *request, f ir.Family) {
	try := func(p *pool) bool {
		addr := a.lowest(p, f)
		if !addr.IsValid() || !a.open(r, p) {
			return false
		}
		a.take(r, addr, p, Fresh)
		return true
	}
	for _, x := range r.out.Addresses {
		if p := a.taken.by[x.Addr].pool; p.together && try(p) {
			return
		}
	}
	for _, p := range a.pools {
		if try(p) {
			return
		}
	}
}

// lowest returns the lowest free address of a pool in the first block that has one, or an
// invalid one. Nothing becomes free during a run, so marks only rise.
func (a *allocator) lowest(p *pool, f ir.Family) netip.Addr {
	i := &p.next[familyIndex(f)]
	for ; *i < len(p.blocks); *i++ {
		b := p.blocks[*i]
		if ir.FamilyOf(b.lo) != f {
			continue
		}
		for b.mark.IsValid() && (a.taken.by[b.mark] != nil || b.reserved(b.mark) || p.avoidBuggy && buggy(b.mark)) {
			if b.mark == b.hi {
				b.mark = netip.Addr{}
				break
			}
			b.mark = b.mark.Next()
		}
		if b.mark.IsValid() {
			return b.mark
		}
	}
	return netip.Addr{}
}

func familyIndex(f ir.Family) int {
	if f == ir.IPv4 {
		return 0
	}
	return 1
}

// explain says why a Service has no address of a family.
func (a *allocator) explain(r *request, f ir.Family) {
	var selecting, having, giving []*pool
	for _, p := range a.pools {
		if !a.named(r, p) || !p.selects(r) {
			continue
		}
		selecting = append(selecting, p)
		if p.hasFamily(f) {
			having = append(having, p)
			if a.open(r, p) {
				giving = append(giving, p)
			}
		}
	}
	switch {
	case len(giving) > 0:
		r.problem(diag.PoolExhausted, "", fmt.Sprintf("no address of %s: none is free in %s", f, names(giving)))
	case len(having) > 0:
		r.problem(diag.NoPool, "", fmt.Sprintf("no address of %s: %s gives none, since it is %s", f, having[0].name, having[0].closed()))
	case len(selecting) > 0:
		r.problem(diag.NoPool, "", fmt.Sprintf("no address of %s: %s has none of this family", f, names(selecting)))
	case r.pool != "":
		r.problem(diag.NoPool, "", fmt.Sprintf("no address of %s: no pool %q of MetalLB selects the Service", f, bounded(r.pool)))
	default:
		r.problem(diag.NoPool, "", fmt.Sprintf("no address of %s: no pool selects the Service", f))
	}
}

// closed says why a pool gives nothing to Services that do not ask for it.
func (p *pool) closed() string {
	switch {
	case p.disabled:
		return "disabled"
	case p.conflict != "":
		return "in conflict with another pool"
	}
	return "only for Services that ask for it (autoAssign: false)"
}

// names lists pools for a message.
func names(pools []*pool) string {
	text := pools[0].name.String()
	if more := len(pools) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
