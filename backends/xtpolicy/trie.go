package xtpolicy

import (
	"cmp"
	"math/bits"
	"slices"
	"sort"
	"strconv"
)

// leaf is one of several targets. Its members are in the set of each bit that is
// set in its code.
type leaf struct {
	code   uint64
	target string
	// comment precedes the target if no other leaf has the same target.
	comment string
}

func (l leaf) rule() string { return l.comment + l.target }

// The maximum depth of chains. iptables-nft allows 15 below a built-in chain
// (NFT_JUMP_STACK_SIZE in include/net/netfilter/nf_tables.h; a goto counts). In
// the ipvs backend, PLC-INPUT, PLC-ANSWERS and PLC-VIPS come first. PLC-POLICY and
// the chains of the direction, the profile, its rows and the row are five. The
// trees share the other seven: those of ports and rows take what they need, up to
// these limits, and that of pods gets the rest. Codes are hashes of names that
// users choose, so the depth of a tree of codes does not depend on chance alone.
const (
	treeLevels = 7
	rowLevels  = 1
	portLevels = 2
)

// trie writes rules that find a leaf by the bits of its code, with one look-up for
// each bit in which leaves differ: about log2 of the number of leaves.
type trie struct {
	*builder
	prefix string
	// levels is the maximum depth of chains. Deeper leaves share one chain with
	// one rule per leaf.
	levels int
	// identity is the part of chain names besides the bits.
	identity []string
	// test returns a match on the members of the set of a bit.
	test func(bit int) string
}

func (t *trie) build(leaves []leaf) []string {
	slices.SortFunc(leaves, func(a, b leaf) int { return cmp.Compare(a.code, b.code) })
	return t.rules(leaves, t.levels)
}

// rules separates leaves. Leaves with the bit set get a chain; the others continue.
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

// divide returns the first bit in which sorted leaves differ, and the index of the
// first leaf that has it.
func divide(leaves []leaf) (bit, at int) {
	bit = bits.LeadingZeros64(leaves[0].code ^ leaves[len(leaves)-1].code)
	return bit, sort.Search(len(leaves), func(i int) bool { return leaves[i].code<<bit>>63 == 1 })
}

// depth returns the depth of chains if each bit has its own chain.
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

// wide separates leaves by several bits at a time: a rule matches the bits that
// lead to its leaves. Leaves with more of these bits come first. The number of
// rules is chosen so that each level divides by the same factor.
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

// wide holds the rules of one chain that leads to groups of leaves.
type wide struct {
	*trie
	levels int
	// size is the number of leaves that share a chain; 0 means no further chains.
	size  int
	rules []string
}

// add writes the rules of leaves that have the bits of match in common; bit is the
// last of these bits.
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

// joined merges several leaves with the same target.
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
