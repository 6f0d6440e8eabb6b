package nft

import (
	"bytes"
	"fmt"
	"iter"
)

// Ruleset is the content of a text.
type Ruleset struct {
	// Tables are at most one for each family, IPv4 before IPv6.
	Tables []*Table
}

// Table is one of the two tables.
type Table struct {
	// Family is the table's address family, "ip" or "ip6".
	Family Family
	// Sets and Chains are in the order of the text. Sets stand before all chains.
	Sets   []*Set
	Chains []*Chain

	sets   map[string]*Set
	chains map[string]*Chain
	// words and rule are memory for one rule at a time.
	words []string
	rule  Rule
}

// Set is a set or a map.
type Set struct {
	// Name is unique among the table's sets and maps.
	Name string
	// Index is the set's place in the table's Sets.
	Index int
	// Map is whether elements have data.
	Map bool
	// Interval is whether the last field of a key is a range of addresses.
	Interval bool
	// Dynamic is whether packets put the elements in: then the text has none.
	Dynamic bool
	// Size is the most elements that there can be; 0 is no limit.
	Size uint32
	// Key and Data are the fields of an element's key and of its data.
	Key, Data []Field
	// Text are the lines of the elements as they stand, a part of what was parsed.
	Text []byte
	// Len is how many elements there are: the lines of Text.
	Len int

	table *Table
	// line is the number of the line before Text.
	line int
}

// Verdicts reports whether the data are verdicts.
func (s *Set) Verdicts() bool { return len(s.Data) == 1 && s.Data[0].Kind == VerdictKind }

// Chain is a chain.
type Chain struct {
	// Name is unique among the table's chains.
	Name string
	// Base is how the kernel calls the chain; nil where only rules and maps lead to it.
	Base *Base
	// Text are the lines between the braces as they stand, a part of what was parsed.
	Text []byte

	table *Table
	// line is the number of the line before Text.
	line int
}

// Base is where the kernel calls a base chain. Its policy is to accept.
type Base struct {
	// Type is "filter" or "nat".
	Type string
	Hook Hook
	// Priority orders the chains of a hook: the lowest comes first.
	Priority int32
}

// Hook is a hook of netfilter (enum nf_inet_hooks).
type Hook uint8

// The hooks.
const (
	Prerouting Hook = iota
	Input
	Forward
	Output
	Postrouting
)

// Lines yields the lines that are rules as they stand, for [Chain.Rule], and their
// numbers in the whole text.
func (c *Chain) Lines() iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		number := c.line
		for line := range bytes.Lines(c.Text) {
			number++
			if number == c.line+1 && c.Base != nil {
				continue
			}
			if !yield(number, bytes.TrimSuffix(line, []byte{'\n'})) {
				return
			}
		}
	}
}

// atLine says where an error is.
func atLine(number int, err error) error {
	return fmt.Errorf("nftables rules, line %d: %w", number, err)
}
