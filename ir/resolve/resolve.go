package resolve

import (
	"cmp"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// New resolves a policy that [ir.Verify] accepts. The result refers to the policy,
// which must not change afterwards. The hash makes the names of rows; nil is
// SHA-256.
func New(p *ir.Policy, hash identity.Hash) *Policy {
	b := newBuilder(p, hash)
	b.classify()
	for i := range p.Profiles {
		profile := &p.Profiles[i]
		b.out.Profiles = append(b.out.Profiles, Profile{
			Profile: profile, Ingress: b.table(profile.Ingress, !profile.Node), Egress: b.table(profile.Egress, false),
		})
	}
	b.orderRows()
	return &b.out
}

func newBuilder(p *ir.Policy, hash identity.Hash) *builder {
	b := &builder{names: identity.Names{Hash: hash}, sets: p.AddressSets, onRedirect: p.OnRedirect, rowIndex: make(map[string]int), setIndex: make(map[string]int, len(p.AddressSets))}
	for i := range p.AddressSets {
		b.setIndex[p.AddressSets[i].ID] = i
	}
	return b
}

type builder struct {
	out      Policy
	sets     []ir.AddressSet
	setIndex map[string]int
	// onRedirect is the action of rules that redirect.
	onRedirect ir.Action
	// prefixes are those of Log rules, in the order of their discovery.
	prefixes []string
	// forest holds sets of address sets, by their index.
	forest *forest
	// nets are the networks where sets begin or end, sorted; edges are the
	// boundaries of each set.
	nets  []network
	edges [][]edge
	// samples has one address of each class, in the order of networks; owners
	// are the samples that a set lists explicitly.
	samples []sample
	owners  [][]int32
	// holdings and placed are buffers that are reused for each table.
	holdings []holding
	placed   []placed
	// names assigns the names of rows.
	names identity.Names
	// rowIndex finds a row by its content.
	rowIndex map[string]int
	// text is a buffer for contents.
	text []byte
}

// orderRows sorts the rows and drops tables that accept everything.
func (b *builder) orderRows() {
	rows := b.out.Rows
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int { return cmp.Compare(rows[x].ID, rows[y].ID) })
	sorted, moved := make([]Row, len(rows)), make([]int, len(rows))
	for to, from := range order {
		sorted[to], moved[from] = rows[from], to
	}
	for i := range sorted {
		for j := range sorted[i].Sources {
			sorted[i].Sources[j].Row = moved[sorted[i].Sources[j].Row]
		}
	}
	b.out.Rows = sorted
	for i := range b.out.Profiles {
		p := &b.out.Profiles[i]
		for _, t := range []**Table{&p.Ingress, &p.Egress} {
			b.rename(t, moved)
		}
	}
}

// rename gives a table the new numbers of its rows. Which row is the most frequent depends on
// them, where several are.
func (b *builder) rename(t **Table, moved []int) {
	if *t == nil {
		return
	}
	*t = (*t).renamed(moved)
	(*t).settle()
	if b.acceptsAll(*t) {
		*t = nil
	}
}

// acceptsAll reports whether a table accepts everything and logs nothing.
func (b *builder) acceptsAll(t *Table) bool {
	row := &b.out.Rows[t.Default]
	return row.Accept && len(row.Except) == 0 && row.Plain() && t.others == t.Default && len(t.rows) == 0 && t.Own < 0
}
