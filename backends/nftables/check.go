package nftables

import (
	"fmt"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Check reports the pools whose weights need more than 65536 indexes: the
// frontends that use them are left out.
func (b *Backend) Check(p *ir.Program) diag.List {
	var list diag.List
	for i := range p.Pools {
		pool := &p.Pools[i]
		if n, _ := slotCount(pool); n > maxSlots {
			list.Add(diag.NotExpressible, pool.Origin, fmt.Sprintf("pool %s: the weights add up to %d, nftables has room for %d", pool.ID, n, maxSlots))
		}
	}
	list.Sort()
	return list
}
