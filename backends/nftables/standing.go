package nftables

import "github.com/planec/planec/ir"

// standing is the largest number of indexes whose pick chain is there whether or
// not a pool has that many, in tables with any. A chain that comes while the
// table is in use binds the map of endpoints, and the kernel walks a map when a
// chain binds it (nf_tables_bind_set): at 150,000 endpoints that costs more than
// all the rest of a change. So a pool that grows or shrinks within this changes
// elements only. Larger ones get a chain with the first of their size, as do the
// nodePort, external and affinity scopes, whose maps are small.
const standing = 8

func standingSteps() []step {
	var list []step
	for n := range uint32(standing) {
		list = append(list, step{act: pick, masquerade: ir.MasqueradeNever, n: n + 1})
	}
	return list
}
