package nftables

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"

	"github.com/planec/planec/ir"
)

// act is what a route does with a new connection.
type act uint8

const (
	// nothing leaves the packet unchanged; the filter hooks reject it.
	nothing act = iota
	drop
	// pick draws a random endpoint.
	pick
	// stick uses the client's endpoint, or draws one and binds it.
	stick
)

// standing is the largest number of indexes whose pick chain always exists in a
// table. A new chain that uses the map of endpoints binds it, and the kernel
// then walks the whole map (nf_tables_bind_set): with 150,000 endpoints that
// costs more than the rest of the change. Within this size, a pool that grows or
// shrinks changes only elements. The first pool of a larger size adds a chain,
// as do the nodePort, external and affinity scopes, whose maps are small.
const standing = 8

// Larger pools have maps of their own, so that the chain of a new size walks few
// elements: one map for 9 to 16 indexes, one for 17 to 32, and so on up to maxSlots.
// Within one, a pool that grows or shrinks keeps most of its elements. They are in no
// scope but the one of addresses.
const (
	largeWord  = "endpoints-"
	largeSizes = 13
)

// endpointsOf returns the map that a pick reads.
func (t *table) endpointsOf(s step) *set {
	if s.at != 0 || s.n <= standing {
		return &t.endpoints[s.at]
	}
	return &t.large[bits.Len32((s.n-1)/standing)-1]
}

// step is one route as chains implement it.
type step struct {
	act        act
	at         scope
	masquerade ir.MasqueradeRule
	// n is the number of endpoints for a pick, the timeout in seconds for a stick.
	n uint32
}

// base returns the step without its masquerade rule: the chain that ends in dnat.
func (s step) base() step {
	s.masquerade = ir.MasqueradeNever
	return s
}

// name is the name of the step's chain; only pick and stick have one.
func (s step) name() string {
	name := s.at.prefix()
	switch s.act {
	case nothing:
		return "none"
	case drop:
		return "drop"
	case pick:
		name += pickWord
	case stick:
		name += stickWord
	}
	name += strconv.FormatUint(uint64(s.n), 10)
	switch s.masquerade {
	case ir.MasqueradeAlways:
		return markWord + name
	case ir.MasqueradeUnlessLocalSource:
		return markWord + remoteWord + name
	}
	return name
}

// verdict returns the verdict at the end of a rule.
func (s step) verdict() string {
	switch s.act {
	case nothing:
		return "return"
	case drop:
		return "drop"
	}
	return "goto " + s.name()
}

// target says what happens to a frontend's packets: one step for all of them,
// or one for local pods and the node and another for all others.
type target struct{ internal, external step }

func (t target) split() bool { return t.internal != t.external }

func (t target) name() string {
	return splitWord + t.internal.name() + "-else-" + t.external.name()
}

// verdict returns a map's data for the target, as a place in verdicts, and records that its chain is
// needed.
func (t *table) verdict(to target) int32 {
	if at, ok := t.targets[to]; ok {
		return at
	}
	v := to.internal.verdict()
	if to.split() {
		v = "goto " + to.name()
	}
	at := int32(len(t.verdicts))
	t.targets[to], t.verdicts = at, append(t.verdicts, v)
	return at
}

// splits returns the targets with two steps, sorted.
func (t *table) splits() []target {
	var list []target
	for to := range t.targets {
		if to.split() {
			list = append(list, to)
		}
	}
	slices.SortFunc(list, func(a, b target) int {
		return cmp.Or(compareStep(a.internal, b.internal), compareStep(a.external, b.external))
	})
	return list
}

// steps returns the steps that have a chain, sorted, with base steps after
// the steps that wrap them.
func (t *table) steps() []step {
	var list []step
	picks := false
	for to := range t.targets {
		for _, s := range []step{to.internal, to.external} {
			if s.act == pick || s.act == stick {
				list = append(list, s, s.base())
			}
			picks = picks || s.act == pick && s.at == 0
		}
	}
	if picks {
		for n := range uint32(standing) {
			list = append(list, step{act: pick, masquerade: ir.MasqueradeNever, n: n + 1})
		}
	}
	slices.SortFunc(list, compareStep)
	return slices.Compact(list)
}

func compareStep(a, b step) int {
	return cmp.Or(cmp.Compare(b.masquerade, a.masquerade), cmp.Compare(a.act, b.act), cmp.Compare(a.at, b.at), cmp.Compare(a.n, b.n))
}
