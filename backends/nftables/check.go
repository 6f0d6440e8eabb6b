package nftables

import (
	"cmp"
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/failsafe"
)

// Check reports the Services that Emit gives up.
func (b *Backend) Check(p *ir.Program) diag.List {
	var list diag.List
	backends.Report(&list, refused(p))
	list.Sort()
	return list
}

// refused are the Services with a pool whose weights need more than 65536 indexes.
func refused(p *ir.Program) []backends.Refused {
	large := make(map[string]string)
	for i := range p.Pools {
		pool := &p.Pools[i]
		if n, _ := slotCount(pool); n > maxSlots {
			large[pool.ID] = fmt.Sprintf("pool %s: the weights add up to %d, nftables has room for %d", pool.ID, n, maxSlots)
		}
	}
	if len(large) == 0 {
		return nil
	}
	var out []backends.Refused
	for i := range p.Frontends {
		f := &p.Frontends[i]
		if why := cmp.Or(large[f.Internal.Pool], large[f.External.Pool]); why != "" {
			out = append(out, backends.Refused{Object: failsafe.ServiceOf(f.Service), Origin: f.Origin, Why: why})
		}
	}
	return out
}
