package iptables

import (
	"cmp"
	"math/bits"
	"net/netip"
	"slices"
	"sort"
	"strconv"

	"github.com/planec/planec/ir"
)

// The tree divides addresses by their last bits, digitBits per level: whether the range
// is a /12 or a /24, and whether addresses are assigned at random or in sequence, the
// last bits differ most. So no level is wasted on bits that all addresses share. The
// number of levels depends on the number of rules in the last chains.
const (
	digitBits = 3
	// maxDigits bounds the depth: nf_tables allows 15 chains below a built-in one
	// (NFT_JUMP_STACK_SIZE; gotos count). The others are PLC-OUTPUT, PLC-SERVICES,
	// two of crowd, those of an address with its ports (portCuts), and four of a
	// frontend.
	maxDigits = 4
	// cellRules is the maximum average number of rules in a last chain: one more
	// level costs 4.5 rules (half of 8 choices) and saves 7/16 of these.
	cellRules = 12
	// crowdRules is far above that average. So many addresses with equal last
	// digits were chosen to collide.
	crowdRules = 64
)

// sameAddress is the frontends of one address.
type sameAddress []entry

// rules is how many rules of a list stand for the row.
func (r sameAddress) rules() int {
	if len(r) > fewPorts {
		return 1
	}
	return len(r)
}

func rulesOf(rows []sameAddress) (n int) {
	for _, r := range rows {
		n += r.rules()
	}
	return n
}

// addressTree is the dispatch tree by address.
type addressTree struct {
	*dataplane
	digits int
}

// dispatchAddresses writes the named chain with tail at its end, and the chains
// below it.
func (d *dataplane) dispatchAddresses(name string, list []entry, tail []string) {
	slices.SortFunc(list, compareEntry)
	// A jump, not a goto: packets that match no address must reach the tail.
	const jump = " -j "
	if len(list) <= listed {
		d.tree(name, jump, leaves(list), tail)
		return
	}
	rows := rowsOf(list)
	t := addressTree{d, 1}
	for most := cellRules << digitBits; most < rulesOf(rows) && t.digits < maxDigits; most <<= digitBits {
		t.digits++
	}
	slices.SortStableFunc(rows, func(a, b sameAddress) int { return cmp.Compare(t.path(a), t.path(b)) })
	t.node(name, jump, rows, 0, tail)
}

// rowsOf are the addresses of a sorted list.
func rowsOf(list []entry) []sameAddress {
	var out []sameAddress
	for _, g := range groups(list, func(a, b *entry) bool { return a.hi == b.hi && a.lo == b.lo }) {
		out = append(out, g)
	}
	return out
}

// digit is one of an address's last digits, counted from the end.
func digit(r sameAddress, at int) uint32 {
	return uint32(r[0].lo>>(at*digitBits)) & (1<<digitBits - 1)
}

// path is an address's digits in the order in which the tree asks for them.
func (t *addressTree) path(r sameAddress) (path uint32) {
	for at := range t.digits {
		path = path<<digitBits | digit(r, at)
	}
	return path
}

// node writes the chain of addresses that have their last digits in common.
func (t *addressTree) node(name, jump string, rows []sameAddress, digits int, tail []string) {
	if digits == t.digits {
		t.crowd(name, rows, 0)
		return
	}
	var branches []branch
	for _, part := range groups(rows, func(a, b *sameAddress) bool { return digit(*a, digits) == digit(*b, digits) }) {
		b := t.cell(part[0], digits+1)
		t.node(b.chain, goTo, part, digits+1, nil)
		branches = append(branches, b)
	}
	t.tree(name, jump, branches, tail)
}

// cell leads to the chain of the addresses that have as many digits in common with
// a row's. Its name has them, in the order in which they are written.
func (t *addressTree) cell(r sameAddress, digits int) branch {
	name := make([]byte, 0, 28)
	name = append(name, "PLC-LAST-"...)
	for at := digits - 1; at >= 0; at-- {
		name = append(name, '0'+byte(digit(r, at)))
	}
	mask := uint64(1)<<(digits*digitBits) - 1
	match := append(t.lastBits(r[0].lo&mask).AppendTo([]byte(" -d ")), '/')
	return branch{match: t.lastBits(mask).AppendTo(match), chain: string(name)}
}

// lastBits returns an address or a mask of the family with only its last bits set;
// there are fewer than 16.
func (t *addressTree) lastBits(n uint64) netip.Addr {
	if t.ir == ir.IPv4 {
		return netip.AddrFrom4([4]byte{2: byte(n >> 8), 3: byte(n)})
	}
	return netip.AddrFrom16([16]byte{14: byte(n >> 8), 15: byte(n)})
}

// crowd writes the chain of the addresses of a cell: a list, but for those that
// would make a long one. They are divided into about n^(1/3) parts, and those again,
// so that neither depth nor rules grow much, whatever the addresses are.
func (t *addressTree) crowd(name string, rows []sameAddress, step int) {
	if step == 2 || rulesOf(rows) <= crowdRules {
		t.tree(name, goTo, t.list(rows), nil)
		return
	}
	var branches []branch
	for _, part := range t.divide(rows, mostOfPart(len(rows), step)) {
		p := t.common(part)
		b := branch{match: appendPrefix(nil, " -d", p), chain: t.names.Of("PLC-DST-", name, p.String())}
		t.crowd(b.chain, part, step+1)
		branches = append(branches, b)
	}
	t.tree(name, goTo, branches, nil)
}

// mostOfPart is n^(2/3) in the first step and n^(1/2) in the second, rounded up.
// It uses integers only, so the result is the same on every processor.
func mostOfPart(n, step int) int {
	all := int64(n)
	return sort.Search(n, func(i int) bool {
		m := int64(i)
		if step == 0 {
			return m*m*m >= all*all
		}
		return m*m >= all
	})
}

// divide takes the largest prefix with at most so many addresses out of a sorted
// list, until so many are left. Each has at least half of that, so there are few;
// one that is within another comes before it.
func (t *addressTree) divide(rows []sameAddress, most int) [][]sameAddress {
	var parts [][]sameAddress
	for len(rows) > most {
		from, to := 0, len(rows)
		for to-from > most {
			if mid := from + t.zeros(rows[from:to]); mid-from >= to-mid {
				to = mid
			} else {
				from = mid
			}
		}
		parts = append(parts, slices.Clone(rows[from:to]))
		rows = slices.Concat(rows[:from], rows[to:])
	}
	return append(parts, rows)
}

// zeros is how many of a sorted list have 0 where the first bit differs.
func (t *addressTree) zeros(rows []sameAddress) int {
	bit := 128 - t.bits + t.common(rows).Bits()
	return sort.Search(len(rows), func(i int) bool {
		e := &rows[i][0]
		if bit < 64 {
			return e.hi>>(63-bit)&1 != 0
		}
		return e.lo>>(127-bit)&1 != 0
	})
}

// common is the prefix that the addresses of a sorted list have in common.
func (t *addressTree) common(rows []sameAddress) netip.Prefix {
	a, b := &rows[0][0], &rows[len(rows)-1][0]
	n := bits.LeadingZeros64(a.hi ^ b.hi)
	if n == 64 {
		n += bits.LeadingZeros64(a.lo ^ b.lo)
	}
	return netip.PrefixFrom(a.frontend.Match.Address, n-(128-t.bits)).Masked()
}

// list is the frontends of some addresses one by one. An address with more than a
// few has a chain, which is of that address alone.
func (t *addressTree) list(rows []sameAddress) []branch {
	var out []branch
	for _, r := range rows {
		if len(r) <= fewPorts {
			out = append(out, leaves(r)...)
			continue
		}
		a := r[0].frontend.Match.Address
		b := branch{match: appendHost(nil, " -d", a), chain: t.names.Of("PLC-DST-", a.String())}
		t.dispatchPorts(b.chain, r, t.portCuts(len(r)), func(p ir.PortRange) string {
			return t.names.Of("PLC-DST-", a.String(), p.Protocol.String(), strconv.Itoa(int(p.First)), strconv.Itoa(int(p.Last)))
		})
		out = append(out, b)
	}
	return out
}

// portCuts returns the bit counts at which the chains for n ports of one address
// branch: two levels, or three if the address is not at the full depth.
func (t *addressTree) portCuts(n int) []int {
	switch {
	case n <= listedPorts:
		return nil
	case t.digits < maxDigits:
		return []int{6, 10, 14}
	}
	return []int{8, 13}
}
