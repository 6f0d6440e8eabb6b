package nftables

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// arrange assigns the indexes 0..n-1 to the endpoints, one for each unit of
// weight, and returns the endpoint of each index, as its place in the list. It is a pure function of the
// pool, so all machines agree without state; yet one more or one less endpoint
// moves few others (on average 2.4 of 5 indexes, 3.2 of 10, 6.7 of 100: the
// number grows with ln n, and the minimum is 1).
//
// It is a full hash table that does not depend on the order of insertion:
// endpoints, in the order of their hash, take the first free index of their
// pseudo-random sequence of indexes.
// There are at most maxSlots endpoints.
func (a *arranger) arrange(endpoints []ir.Endpoint) []uint16 {
	if len(endpoints) == 1 {
		return a.take(1)
	}
	a.claim(endpoints)
	slots := a.take(len(a.claims))
	if len(slots) <= 64 {
		taken := uint64(0)
		for _, c := range a.claims {
			i := c.firstOf(taken, uint64(len(slots)))
			taken |= 1 << i
			slots[i] = c.endpoint
		}
		return slots
	}
	a.taken = slices.Grow(a.taken[:0], len(slots))[:len(slots)]
	clear(a.taken)
	for _, c := range a.claims {
		i := c.firstFree(a.taken)
		a.taken[i], slots[i] = true, c.endpoint
	}
	return slots
}

// arranger arranges one pool after the other, with few allocations for
// thousands of pools.
type arranger struct {
	claims []claim
	// taken are the indexes of a large pool that have an endpoint.
	taken []bool
	// all are the indexes of all pools, one pool after the other. What was taken does not change, also if all
	// becomes longer than its memory.
	all []uint16
}

// take returns n indexes, of which each has the first endpoint.
func (a *arranger) take(n int) []uint16 {
	begin := len(a.all)
	a.all = slices.Grow(a.all, n)[:begin+n]
	out := a.all[begin : begin+n : begin+n]
	clear(out)
	return out
}

// claim is one unit of an endpoint's weight that needs an index.
type claim struct {
	hash     uint64
	endpoint uint16
}

// claim returns the claims in the order in which they choose. Claims with equal
// hashes keep the pool's order.
func (a *arranger) claim(endpoints []ir.Endpoint) {
	divisor := weightDivisor(endpoints)
	claims := a.claims[:0]
	for i := range endpoints {
		e := &endpoints[i]
		for unit := range max(1, uint64(e.Weight)/divisor) {
			claims = append(claims, claim{hash: mix(hashAddrPort(e.Address) + unit), endpoint: uint16(i)})
		}
	}
	slices.SortStableFunc(claims, func(a, b claim) int { return cmp.Compare(a.hash, b.hash) })
	a.claims = claims
}

// sequenceStep separates the numbers of a claim's sequence.
const sequenceStep = 0x9e3779b97f4a7c15

// firstOf is firstFree of at most 64 indexes, whose bits are set if they are taken.
func (c claim) firstOf(taken, n uint64) int {
	state := c.hash
	for range 8 * n {
		state += sequenceStep
		if i := fold(mix(state), n); taken>>i&1 == 0 {
			return int(i)
		}
	}
	return bits.TrailingZeros64(^taken)
}

// firstFree walks the claim's sequence. The last claims find few free indexes;
// after some turns around the table they take the lowest free one.
func (c claim) firstFree(taken []bool) int {
	n := uint64(len(taken))
	state := c.hash
	for range 8 * n {
		state += sequenceStep
		if i := fold(mix(state), n); !taken[i] {
			return int(i)
		}
	}
	return slices.Index(taken, false)
}

// fold reduces a hash to 0..n-1 by linear hashing (Litwin 1980): from n to n+1,
// only hashes of one index move.
func fold(hash, n uint64) uint64 {
	size := uint64(1) << bits.Len64(n-1)
	i := hash & (size - 1)
	if i >= n {
		i -= size / 2
	}
	return i
}

// fitting reports whether there are enough indexes for a pool, and how many it needs at most. Nearly
// all pools have so little weight that their divisor does not matter.
func fitting(pool *ir.Pool) (n uint64, fits bool) {
	for i := range pool.Endpoints {
		n += max(1, uint64(pool.Endpoints[i].Weight))
	}
	if n > maxSlots {
		n = slotCount(pool)
	}
	return n, n <= maxSlots
}

// slotCount returns how many indexes the pool needs.
func slotCount(pool *ir.Pool) (n uint64) {
	divisor := weightDivisor(pool.Endpoints)
	for i := range pool.Endpoints {
		n += max(1, uint64(pool.Endpoints[i].Weight)/divisor)
	}
	return n
}

// weightDivisor is the greatest common divisor of the weights: equal weights
// cost one index each.
func weightDivisor(endpoints []ir.Endpoint) uint64 {
	var d uint64
	for i := range endpoints {
		a, b := d, uint64(endpoints[i].Weight)
		for b != 0 {
			a, b = b, a%b
		}
		if d = a; d == 1 {
			break
		}
	}
	return max(1, d)
}

func hashAddrPort(a netip.AddrPort) uint64 {
	raw := a.Addr().As16()
	h := mix(binary.BigEndian.Uint64(raw[:8]) + 0x9e3779b97f4a7c15)
	return mix(h ^ mix(binary.BigEndian.Uint64(raw[8:])^uint64(a.Port())<<48))
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
