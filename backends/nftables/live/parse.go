package live

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/text/nft"
)

// Parse reads the output of the nftables backend. Any other text is an error
// that names the line.
func Parse(text []byte) (*Model, error) {
	return parseText(text, maphash.MakeSeed(), known{})
}

// parseText is Parse with sharing.
func parseText(text []byte, seed maphash.Seed, shared known) (*Model, error) {
	w, err := readText(text, seed, shared)
	if err != nil {
		return nil, err
	}
	return w.Model()
}

// known is a model whose parts are shared instead of read again, if their text is the same.
type known struct {
	// model is nil if nothing is shared.
	model *Model
	// elements reports whether the elements of sets with a role are shared; nil shares
	// those of no set. Chains always are.
	elements func(nftables.Role) bool
}

// builder makes one table from its text.
type builder struct {
	source *nft.Table
	table  *Table
	// held is the held table to share with, or nil; shared is [known.elements].
	held   *Table
	shared func(nftables.Role) bool
	seed   maphash.Seed
	// rules finds the table's rules by their text, because many chains have equal ones.
	rules map[string]*Rule
	// data and udata are buffers for one element.
	data, udata []byte
}

// outline declares the sets and reads the chains.
func (b *builder) outline() error {
	for _, source := range b.source.Sets {
		b.table.addSet(declared(source))
	}
	shares := b.held != nil && !slices.ContainsFunc(b.table.Sets, func(s *Set) bool {
		h := b.held.sets[s.Name]
		return h != nil && !h.sameSpec(s)
	})
	for _, source := range b.source.Chains {
		// The form of a rule depends on the table's sets, so those come first.
		c := &Chain{Name: source.Name, sum: maphash.Bytes(b.seed, source.Text)}
		if shares && b.held.chains[c.Name] != nil && b.held.chains[c.Name].sum == c.sum {
			*c = *b.held.chains[c.Name]
		} else if err := b.chain(c, source); err != nil {
			return err
		}
		b.table.addChain(c)
	}
	return nil
}

// fill reads the elements of the sets, or shares those of held sets with the same declaration and
// text.
func (b *builder) fill() error {
	var shared []*Set
	for i, source := range b.source.Sets {
		s := b.table.Sets[i]
		if b.share(s, source) {
			shared = append(shared, s)
		} else if err := b.elements(s, source); err != nil {
			return err
		}
	}
	return b.table.finish(shared)
}

func (b *builder) share(s *Set, source *nft.Set) bool {
	if b.held == nil || b.shared == nil {
		return false
	}
	h := b.held.sets[s.Name]
	if h == nil || !b.shared(h.role) || !h.sameSpec(s) || h.Elems.n != source.Len || h.sum != sumLines(b.seed, source.Text) {
		return false
	}
	s.Elems, s.sum = h.Elems, h.sum
	return true
}

// elements reads the elements of a set.
func (b *builder) elements(s *Set, source *nft.Set) error {
	s.sum, s.Elems = 0, Elements{keyLen: s.storedKey(), blob: make([]byte, 0, s.room(source))}
	for e, err := range source.Elements() {
		if err != nil {
			return err
		}
		s.sum += maphash.Bytes(b.seed, e.Line)
		b.append(s, e)
	}
	last := source.Key[len(source.Key)-1]
	if twice := s.Elems.twice(last.Kind == nft.Index); twice != nil {
		return fmt.Errorf("nftables rules: set %s has an element twice, key %x", s.Name, twice)
	}
	return nil
}

// room estimates the length of the records.
func (s *Set) room(source *nft.Set) int {
	// Except for IPv6, a record is shorter than its line.
	n := len(source.Text) / 4 * 3
	if first, _, _ := bytes.Cut(source.Text, []byte{'\n'}); !bytes.Contains(first, []byte(` comment "`)) {
		data := int(s.DataLen)
		if s.verdicts() {
			data = 4 + len(first) - bytes.LastIndexByte(first, ' ') // a chain's name comes last
		}
		n = min(n, source.Len*(s.storedKey()+data+3))
	}
	return n
}

// append adds one element to a set.
func (b *builder) append(s *Set, e *nft.Element) {
	r := record{key: e.Key, data: e.Data}
	if s.verdicts() {
		b.data = append(binary.BigEndian.AppendUint32(b.data[:0], verdictCodes[e.Verdict]), e.Chain...)
		r.data = b.data
	}
	b.udata = b.udata[:0]
	if e.Comment != nil {
		b.udata = appendComment(b.udata, e.Comment)
	}
	if s.singleSpan() && allOnes(e.Key[s.KeyLen:]) {
		b.udata = udataU32(b.udata, udataFlags, intervalOpen)
	}
	r.udata = b.udata
	s.Elems.append(r)
}

// verdictCodes are the kernel's numbers of verdicts. Reject has none: nft makes it a
// statement.
var verdictCodes = [...]uint32{
	nft.Accept: verdictAccept, nft.Drop: verdictDrop, nft.Return: verdictReturn, nft.Jump: verdictJump, nft.Goto: verdictGoto,
}

// chain reads a chain's rules, each distinct text once per table.
func (b *builder) chain(c *Chain, source *nft.Chain) error {
	if base := source.Base; base != nil {
		c.Type, c.Hook, c.Priority, c.Policy = base.Type, uint32(base.Hook), base.Priority, verdictAccept
	}
	for number, line := range source.Lines() {
		r := b.rules[string(bytes.TrimLeft(line, "\t"))]
		if r == nil {
			read, err := source.Rule(number, line)
			if err != nil {
				return err
			}
			if r, err = compile(b.table.Family, read); err != nil {
				return fmt.Errorf("nftables rules, line %d: rule %q: %w", number, read.Text, err)
			}
			b.rules[read.Text] = r
		}
		// Each chain has its own Rule; the slices in it are shared and never written.
		own := *r
		c.Rules = append(c.Rules, &own)
	}
	return nil
}

// sumLines adds up the hashes of lines, so the order does not matter and single
// lines can be subtracted again.
func sumLines(seed maphash.Seed, section []byte) (sum uint64) {
	for len(section) > 0 {
		i := bytes.IndexByte(section, '\n') + 1
		sum += maphash.Bytes(seed, section[:i])
		section = section[i:]
	}
	return sum
}

// finish checks that every named chain exists, also for shared sets, which were not
// read again: elements that were read lead to chains of their text.
func (t *Table) finish(shared []*Set) error {
	for _, c := range t.Chains {
		for _, r := range c.Rules {
			if r.to != "" && t.chains[r.to] == nil {
				return fmt.Errorf("nftables rules, table %v: chain %s: no chain %q", t.Family, c.Name, r.to)
			}
		}
	}
	for _, s := range shared {
		if !s.verdicts() {
			continue
		}
		for _, e := range s.Elems.all() {
			if to := chainOf(e.data); len(to) > 0 && t.chains[string(to)] == nil {
				return fmt.Errorf("nftables rules, table %v: map %s: no chain %q", t.Family, s.Name, to)
			}
		}
	}
	return nil
}

// chainOf returns the chain that an element's data lead to, or nothing.
func chainOf(data []byte) []byte { return data[min(4, len(data)):] }
