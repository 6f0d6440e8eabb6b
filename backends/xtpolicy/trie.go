package xtpolicy

import (
	"cmp"
	"math/bits"
	"slices"
	"sort"
	"strconv"
)

// leaf is one of several ways to go; the members of a way are in the set of each
// bit that its code has.
type leaf struct {
	code   uint64
	target string
	// comment stands before the target where no other leaf has the same.
	comment string
}

func (l leaf) rule() string { return l.comment + l.target }

// The chains below one another. Those of iptables-nft may be 15 below a built-in
// one (NFT_JUMP_STACK_SIZE in include/net/netfilter/nf_tables.h, a goto counts).
// In the ipvs backend PLC-INPUT, PLC-ANSWERS and PLC-VIPS come first; PLC-POLICY,
// the direction's, the profile's, its rows' and the row's are five, and the trees
// share the other seven: those of ports and rows take what they need, at most this,
// and that of pods has the rest. Codes are hashes of what people write, so how deep
// a tree of them gets is no matter of chance alone.
const (
	treeLevels = 7
	rowLevels  = 1
	portLevels = 2
)

// trie writes rules that find a way by the bits of its code, one look-up for each
// bit in which ways differ: about log2 of how many there are.
type trie struct {
	*builder
	prefix string
	// levels is how many chains there may be below one another; what is further
	// down stands in one chain, a rule for each way.
	levels int
	// identity is what the names of chains are made of, beside the bits.
	identity []string
	// test matches members of the set of a bit.
	test func(bit int) string
}

func (t *trie) build(leaves []leaf) []string {
	slices.SortFunc(leaves, func(a, b leaf) int { return cmp.Compare(a.code, b.code) })
	return t.rules(leaves, t.levels)
}

// rules tells leaves apart. Those that have a bit get a chain, the others go on.
func (t *trie) rules(leaves []leaf, levels int) []string {
	if depth(leaves) > levels {
		return t.wide(leaves, levels)
	}
	var rules []string
	for !alike(leaves) {
		bit, at := divide(leaves)
		rules = append(rules, t.test(bit)+t.target(leaves[at:], bit, levels-1))
		leaves = leaves[:at]
	}
	return append(rules, joined(leaves).rule())
}

// divide finds the first bit in which sorted leaves differ, and where those begin
// that have it.
func divide(leaves []leaf) (bit, at int) {
	bit = bits.LeadingZeros64(leaves[0].code ^ leaves[len(leaves)-1].code)
	return bit, sort.Search(len(leaves), func(i int) bool { return leaves[i].code<<bit>>63 == 1 })
}

// depth is how many chains below one another it takes when each bit has its own.
func depth(leaves []leaf) int {
	deepest := 0
	for !alike(leaves) {
		_, at := divide(leaves)
		if !alike(leaves[at:]) {
			deepest = max(deepest, 1+depth(leaves[at:]))
		}
		leaves = leaves[:at]
	}
	return deepest
}

// wide tells leaves apart by several bits at a time: a rule asks for the bits that
// lead to its leaves, and who has more of them was asked before. There are so many
// rules that each level divides alike.
func (t *trie) wide(leaves []leaf, levels int) []string {
	parts := 2
	for power(parts, levels+1) < len(leaves) {
		parts++
	}
	w := wide{trie: t, levels: levels, size: (len(leaves) + parts - 1) / parts}
	if levels == 0 {
		w.size = 0
	}
	w.add(leaves, "", 0)
	return w.rules
}

func power(n, exponent int) int {
	out := 1
	for range exponent {
		out *= n
	}
	return out
}

// wide is the rules of one chain that leads to groups of leaves.
type wide struct {
	*trie
	levels int
	// size is how many leaves have a chain of their own; 0 is none.
	size  int
	rules []string
}

// add writes the rules of leaves that have the bits of match in common, the last of
// which is given.
func (w *wide) add(leaves []leaf, match string, bit int) {
	switch {
	case alike(leaves):
		w.rules = append(w.rules, match+joined(leaves).rule())
	case match != "" && len(leaves) <= w.size:
		w.rules = append(w.rules, match+w.target(leaves, bit, w.levels-1))
	default:
		next, at := divide(leaves)
		w.add(leaves[at:], match+w.test(next), next)
		w.add(leaves[:at], match, bit)
	}
}

// alike reports whether all leaves have the same target.
func alike(leaves []leaf) bool {
	return !slices.ContainsFunc(leaves, func(l leaf) bool { return l.target != leaves[0].target })
}

// joined is the one leaf of several with the same target.
func joined(leaves []leaf) leaf {
	if len(leaves) > 1 {
		return leaf{target: leaves[0].target}
	}
	return leaves[0]
}

func (t *trie) target(leaves []leaf, bit, levels int) string {
	if alike(leaves) {
		return joined(leaves).rule()
	}
	path := strconv.FormatUint(leaves[0].code>>(63-bit), 2)
	name := t.names.Of(t.prefix, append(slices.Clone(t.identity), strconv.Itoa(bit), path)...)
	t.chain(name, t.rules(leaves, levels)...)
	return " -g " + name
}
