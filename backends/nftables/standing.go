package nftables

import "github.com/planec/planec/ir"

// standing is the largest number of indexes whose pick chain always exists in a
// table. A new chain that uses the map of endpoints binds it, and the kernel
// then walks the whole map (nf_tables_bind_set): with 150,000 endpoints that
// costs more than the rest of the change. Within this size, a pool that grows or
// shrinks changes only elements. The first pool of a larger size adds a chain,
// as do the nodePort, external and affinity scopes, whose maps are small.
const standing = 8

func standingSteps() []step {
	var list []step
	for n := range uint32(standing) {
		list = append(list, step{act: pick, masquerade: ir.MasqueradeNever, n: n + 1})
	}
	return list
}
