package live

import (
	"bytes"
	"hash/maphash"
	"slices"

	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/text/nft"
)

// tableNamed is the name of both tables.
const tableNamed = nftables.TableName

// Model is the content of planec's tables.
type Model struct {
	// Tables are in the order ip, ip6; a family without work has no table.
	Tables []*Table
	// seed is the hash seed of the sets' sums.
	seed maphash.Seed
}

// State is planec's part of the kernel's ruleset, at one generation.
type State struct {
	// Model is what was read; nil if a seal proves that the kernel has something.
	*Model
	// sealed is what a seal proves.
	sealed *Wanted
	// Generation counts the changes by all programs in the network namespace.
	Generation uint32
}

// Table returns a family's table, or nil.
func (m *Model) Table(f nft.Family) *Table {
	for _, t := range m.Tables {
		if t.Family == f {
			return t
		}
	}
	return nil
}

// Table is the table of one family, with its content.
type Table struct {
	Family nft.Family // ip or ip6
	Sets   []*Set     // in the order of rules.nft or of the kernel's dump
	Chains []*Chain   // likewise
	// odd describes what planec's text never makes: flags, an owner, flowtables,
	// objects.
	odd string
	// nonce is the name that planec gave to the kernel's table when it created it, or "".
	nonce  string
	sets   map[string]*Set
	chains map[string]*Chain
}

func newTable(f nft.Family) *Table {
	return &Table{Family: f, sets: make(map[string]*Set), chains: make(map[string]*Chain)}
}

func (t *Table) addSet(s *Set) {
	s.role = nftables.RoleOfSet(s.Name)
	t.Sets = append(t.Sets, s)
	t.sets[s.Name] = s
}

func (t *Table) addChain(c *Chain) {
	c.role = nftables.RoleOfChain(c.Name)
	t.Chains = append(t.Chains, c)
	t.chains[c.Name] = c
}

// Set is a set or a map. Numbers are those of nf_tables.
type Set struct {
	Name              string // its name, unique in the table
	Flags             uint32 // NFT_SET_*
	KeyType, KeyLen   uint32 // nft's number of the key's type, and the key's length in bytes
	DataType, DataLen uint32 // the same of a map's data; 0 for a set
	// Size is the maximum number of elements; 0 means no limit.
	Size uint32
	// Concat holds the lengths of the key's fields. The kernel needs them only
	// for concatenations with ranges.
	Concat []uint32
	// UserData is nft's own data: byte orders, and expressions for "typeof".
	UserData []byte
	// Elems are the elements. It is empty for a dynamic set, which packets fill.
	Elems Elements
	// role is the purpose that the name tells.
	role nftables.Role
	// sum is a hash of the elements' lines, if the set comes from text (sumLines).
	sum uint64
	// count is the kernel's number of the elements, of a set that was read; 0 if it tells none.
	count int
	// odd holds attributes that planec's sets never have.
	odd []byte
}

// Dynamic reports whether packets add the elements.
func (s *Set) Dynamic() bool { return s.Flags&setEval != 0 }

// isMap and the following methods read flags.
func (s *Set) isMap() bool      { return s.Flags&setMap != 0 }
func (s *Set) interval() bool   { return s.Flags&setInterval != 0 }
func (s *Set) verdicts() bool   { return s.isMap() && s.DataType == typeVerdict }
func (s *Set) anonymous() bool  { return s.Flags&setAnonymous != 0 }
func (s *Set) concat() bool     { return s.Flags&setConcat != 0 }
func (s *Set) keyEnds() bool    { return s.interval() && s.concat() }
func (s *Set) singleSpan() bool { return s.interval() && !s.concat() }

// storedKey is the length of a key in Elems; ranges store first and last.
func (s *Set) storedKey() int {
	if s.interval() {
		return 2 * int(s.KeyLen)
	}
	return int(s.KeyLen)
}

// sameSpec reports whether both have the same declaration.
func (s *Set) sameSpec(o *Set) bool {
	return s.Flags == o.Flags && s.KeyType == o.KeyType && s.KeyLen == o.KeyLen &&
		s.DataType == o.DataType && s.DataLen == o.DataLen && s.Size == o.Size &&
		slices.Equal(s.Concat, o.Concat) && bytes.Equal(s.UserData, o.UserData) && bytes.Equal(s.odd, o.odd)
}

// Chain is a chain. It is a base chain if it has a Type.
type Chain struct {
	Name string // its name, unique in the table
	// Type is "filter" or "nat" for a base chain, else "".
	Type     string
	Hook     uint32  // NF_INET_*, for a base chain
	Priority int32   // the place among the hook's chains, lowest first
	Policy   uint32  // NF_ACCEPT or NF_DROP, for a base chain
	Rules    []*Rule // in the order of evaluation
	// role is the purpose that the name tells.
	role nftables.Role
	// sum is a hash of the chain's text, if it comes from text.
	sum uint64
	// odd holds attributes that planec's chains never have.
	odd []byte
}

// Base reports whether the chain has a hook.
func (c *Chain) Base() bool { return c.Type != "" }

// sameSpec reports whether both have the same declaration.
func (c *Chain) sameSpec(o *Chain) bool {
	return c.Type == o.Type && c.Hook == o.Hook && c.Priority == o.Priority && c.Policy == o.Policy && bytes.Equal(c.odd, o.odd)
}

// sameRules reports whether the kernel's chain has the wanted rules.
func (c *Chain) sameRules(have *Chain) bool {
	return slices.EqualFunc(c.Rules, have.Rules, (*Rule).same)
}
