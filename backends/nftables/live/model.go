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
	// Tables are in the order ip, ip6; a family without work has none.
	Tables []*Table
	// seed is of the sums of sets.
	seed maphash.Seed
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

// Table is one table.
type Table struct {
	Family nft.Family
	Sets   []*Set
	Chains []*Chain
	// odd says what of the kernel's table no text of ours makes: flags, an owner,
	// flowtables, objects.
	odd    string
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

// Set is a set or a map. Numbers are nf_tables'.
type Set struct {
	Name              string
	Flags             uint32
	KeyType, KeyLen   uint32
	DataType, DataLen uint32
	// Size is the most elements there can be; 0 is no limit.
	Size uint32
	// Concat are the lengths of the key's fields where the kernel needs them: in
	// concatenations with ranges.
	Concat []uint32
	// UserData is nft's: byte orders, and expressions for "typeof".
	UserData []byte
	// Elems are the elements; a dynamic set's are not ours and are never here.
	Elems Elements
	// role is what the name says that it is there for.
	role nftables.Role
	// sum is of the elements' lines, of sets that come from text (sumLines).
	sum uint64
	// odd are attributes that no set of ours has.
	odd []byte
}

// Dynamic reports whether packets put the elements in.
func (s *Set) Dynamic() bool { return s.Flags&setEval != 0 }

// isMap and the others read flags.
func (s *Set) isMap() bool      { return s.Flags&setMap != 0 }
func (s *Set) interval() bool   { return s.Flags&setInterval != 0 }
func (s *Set) verdicts() bool   { return s.isMap() && s.DataType == typeVerdict }
func (s *Set) anonymous() bool  { return s.Flags&setAnonymous != 0 }
func (s *Set) concat() bool     { return s.Flags&setConcat != 0 }
func (s *Set) keyEnds() bool    { return s.interval() && s.concat() }
func (s *Set) singleSpan() bool { return s.interval() && !s.concat() }

// storedKey is the length of a key in Elems: with ranges, first and last.
func (s *Set) storedKey() int {
	if s.interval() {
		return 2 * int(s.KeyLen)
	}
	return int(s.KeyLen)
}

// sameSpec reports whether both are declared alike.
func (s *Set) sameSpec(o *Set) bool {
	return s.Flags == o.Flags && s.KeyType == o.KeyType && s.KeyLen == o.KeyLen &&
		s.DataType == o.DataType && s.DataLen == o.DataLen && s.Size == o.Size &&
		slices.Equal(s.Concat, o.Concat) && bytes.Equal(s.UserData, o.UserData) && bytes.Equal(s.odd, o.odd)
}

// Chain is a chain. One without Type is no base chain.
type Chain struct {
	Name string
	// Type is "filter" or "nat", Hook NF_INET_*, Priority the place there, Policy
	// the verdict at the end.
	Type     string
	Hook     uint32
	Priority int32
	Policy   uint32
	Rules    []*Rule
	// role is what the name says that it is there for.
	role nftables.Role
	// sum is of the chain's text, where it comes from one.
	sum uint64
	// odd are attributes that no chain of ours has.
	odd []byte
}

// Base reports whether the kernel calls the chain.
func (c *Chain) Base() bool { return c.Type != "" }

// sameSpec reports whether both are declared alike.
func (c *Chain) sameSpec(o *Chain) bool {
	return c.Type == o.Type && c.Hook == o.Hook && c.Priority == o.Priority && c.Policy == o.Policy && bytes.Equal(c.odd, o.odd)
}

// sameRules reports whether what is wanted is what the kernel has.
func (c *Chain) sameRules(have *Chain) bool {
	return slices.EqualFunc(c.Rules, have.Rules, (*Rule).same)
}
