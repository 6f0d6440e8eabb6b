package live

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/internal/text/nft"
	"github.com/planec/planec/ir"
)

// Elements counts the elements of all sets.
func (m *Model) Elements() int {
	n := 0
	for _, t := range m.Tables {
		for _, s := range t.Sets {
			n += s.Elems.Len()
		}
	}
	return n
}

// Set returns the named set or map, or nil.
func (t *Table) Set(name string) *Set { return t.sets[name] }

// Chain returns the named chain, or nil.
func (t *Table) Chain(name string) *Chain { return t.chains[name] }

// Model is what the Live holds, to verify with; it is not to be changed.
func (l *Live) Model() *Model { return l.model }

// Lines yields the elements as rules.nft and nft spell them, in no order: also
// those that the kernel has, for people to read.
func (s *Set) Lines() iter.Seq[string] {
	key, data := kindsOf(s.KeyType), kindsOf(s.DataType)
	return func(yield func(string) bool) {
		for _, r := range s.Elems.all() {
			if !yield(s.line(r, key, data)) {
				return
			}
		}
	}
}

func (s *Set) line(r record, key, data []nft.Kind) string {
	n := int(s.KeyLen)
	line := values(r.key[:n], key)
	if s.interval() {
		line[len(line)-1] = spanText(r.key[:n], r.key[n:], key)
	}
	text := strings.Join(line, " . ")
	if c := r.comment(); c != "" {
		text += ` comment "` + c + `"`
	}
	switch {
	case s.verdicts():
		text += " : " + verdictText(r.data)
	case s.isMap():
		text += " : " + strings.Join(values(r.data, data), " . ")
	}
	return text
}

// spanText spells the last field of two keys: an address, a prefix or a range.
func spanText(from, to []byte, list []nft.Kind) string {
	k := list[len(list)-1]
	if k != nft.Addr4 && k != nft.Addr6 || k.Size() > len(from) {
		return fmt.Sprintf("%#x-%#x", from, to)
	}
	first, _ := netip.AddrFromSlice(from[len(from)-k.Size():])
	last, _ := netip.AddrFromSlice(to[len(to)-k.Size():])
	if first == last {
		return first.String()
	}
	for bits := range first.BitLen() {
		p := netip.PrefixFrom(first, bits)
		if p.Masked() == p && ir.LastAddr(p) == last {
			return p.String()
		}
	}
	return first.String() + "-" + last.String()
}

// elementLines are the lines of a text that have elements, sorted.
func elementLines(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "\t\t\t"); ok {
			list = append(list, strings.TrimSuffix(strings.TrimSuffix(rest, "\n"), ","))
		}
	}
	slices.Sort(list)
	return list
}

func modelLines(m *Model) []string {
	var list []string
	for _, t := range m.Tables {
		for _, s := range t.Sets {
			list = slices.AppendSeq(list, s.Lines())
		}
	}
	slices.Sort(list)
	return list
}

// TestLines writes what was parsed, and finds the text again.
func TestLines(t *testing.T) {
	for _, text := range goldenTexts(t) {
		if d := cmp.Diff(elementLines(string(text)), modelLines(parse(t, string(text)))); d != "" {
			t.Errorf("-text +lines:\n%s", d)
		}
	}
}
