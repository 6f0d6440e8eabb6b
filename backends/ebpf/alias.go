package ebpf

import (
	"slices"

	"github.com/planec/planec/ir"
)

// slot is one slot of an alias table.
type slot struct {
	threshold, alias uint32
}

// aliasTable computes the alias table of [layout.Endpoint] in integers, so that
// the weights are exact. Each of the n slots is drawn with equal probability and
// has total units. An endpoint of weight w has w*n units, distributed over its own
// slot and the slots whose alias it is. The distribution depends only on the order
// of the endpoints. The slots are appended to an empty list.
func aliasTable(endpoints []ir.Endpoint, total uint32, slots []slot) []slot {
	n := len(endpoints)
	slots = slices.Grow(slots, n)[:n]
	if sameWeights(endpoints) {
		for i := range slots {
			slots[i] = slot{threshold: total, alias: uint32(i)}
		}
		return slots
	}
	units := make([]uint64, n)
	var small, large []uint32
	for i := range endpoints {
		slots[i] = slot{threshold: total, alias: uint32(i)}
		units[i] = uint64(endpoints[i].Weight) * uint64(n)
		switch {
		case units[i] < uint64(total):
			small = append(small, uint32(i))
		case units[i] > uint64(total):
			large = append(large, uint32(i))
		}
	}
	for len(small) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		slots[s] = slot{threshold: uint32(units[s]), alias: l}
		units[l] -= uint64(total) - units[s]
		if units[l] > uint64(total) {
			continue
		}
		large = large[:len(large)-1]
		if units[l] < uint64(total) {
			small = append(small, l)
		}
	}
	return slots
}

// sameWeights reports whether all endpoints have the same weight.
func sameWeights(endpoints []ir.Endpoint) bool {
	return !slices.ContainsFunc(endpoints, func(e ir.Endpoint) bool { return e.Weight != endpoints[0].Weight })
}
