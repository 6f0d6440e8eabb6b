package xtpolicy

import (
	"cmp"
	"errors"
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

// trie writes rules that find a way by the bits of its code, one look-up for each
// bit in which ways differ: about log2 of how many there are.
type trie struct {
	*builder
	prefix string
	// identity is what the names of chains are made of, beside the bits.
	identity []string
	// test matches members of the set of a bit.
	test func(bit int) string
}

var errSameCode = errors.New("two names have the same hash of 64 bits")

func (t *trie) build(leaves []leaf) []string {
	slices.SortFunc(leaves, func(a, b leaf) int { return cmp.Compare(a.code, b.code) })
	for i := 1; i < len(leaves); i++ {
		if leaves[i-1].code == leaves[i].code {
			t.err = errSameCode
			return nil
		}
	}
	return t.rules(leaves)
}

// rules tells leaves apart. Those that have a bit get a chain, the others go on.
func (t *trie) rules(leaves []leaf) []string {
	var rules []string
	for !alike(leaves) {
		bit := bits.LeadingZeros64(leaves[0].code ^ leaves[len(leaves)-1].code)
		at := sort.Search(len(leaves), func(i int) bool { return leaves[i].code<<bit>>63 == 1 })
		rules = append(rules, t.test(bit)+t.target(leaves[at:], bit))
		leaves = leaves[:at]
	}
	return append(rules, joined(leaves).rule())
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

func (t *trie) target(leaves []leaf, bit int) string {
	if alike(leaves) {
		return joined(leaves).rule()
	}
	path := strconv.FormatUint(leaves[0].code>>(63-bit), 2)
	name := t.names.Of(t.prefix, append(slices.Clone(t.identity), strconv.Itoa(bit), path)...)
	t.chain(name, t.rules(leaves)...)
	return " -g " + name
}
