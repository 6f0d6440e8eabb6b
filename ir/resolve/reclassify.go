//go:build !js

package resolve

import (
	"cmp"
	"slices"

	"github.com/planec/planec/ir"
)

// exchanged is next where sets of networks come or go. It returns nil if a set that stays has other
// content.
func (h *history) exchanged(p *ir.Policy) *Policy {
	came, went, ok := h.exchange(p.AddressSets)
	if !ok {
		return nil
	}
	if moves, few := h.hostMoves(p.AddressSets, came, went); few {
		return h.rezoned(p, moves, came, went)
	}
	return h.reclassified(p, came, went)
}

// reclassified makes all classes anew; tables whose rules stay follow them.
func (h *history) reclassified(p *ir.Policy, came, went map[int32]bool) *Policy {
	b := newBuilder(p, h.hash)
	b.classify()
	n := &history{of: h.of, out: &b.out, hash: h.hash, numbers: h.numbers, ids: h.ids, rows: h.rows}
	if !n.keepClasses() {
		return nil
	}
	n.keepPlaces()
	n.out = h.out
	s := step{history: n, policy: p, list: b.out.Classes, builder: b, old: h.out.Profiles, gone: make(map[uint32]bool)}
	if !s.compareClasses(h.classes, came, went) {
		return nil
	}
	b.out.Rows, b.rowIndex = slices.Clip(h.out.Rows), h.rows
	out := s.finish()
	if out != nil {
		*h = *n
	}
	return out
}

// exchange returns the numbers of the sets that came and went; ok is false if others have other
// content.
func (h *history) exchange(next []ir.AddressSet) (came, went map[int32]bool, ok bool) {
	came, went = make(map[int32]bool), make(map[int32]bool)
	for old := h.of.AddressSets; len(old)+len(next) > 0; {
		switch order := compareFirst(old, next); {
		case order < 0:
			went[h.number(old[0].ID)] = true
			old = old[1:]
		case order > 0:
			came[h.number(next[0].ID)] = true
			next = next[1:]
		default:
			if !sameSet(&old[0], &next[0]) {
				return nil, nil, false
			}
			old, next = old[1:], next[1:]
		}
	}
	return came, went, true
}

func sameSet(a, b *ir.AddressSet) bool {
	return a.OwnNode == b.OwnNode && (sameList(a.Addresses, b.Addresses) || slices.Equal(a.Addresses, b.Addresses)) &&
		slices.Equal(a.Prefixes, b.Prefixes) && slices.Equal(a.Except, b.Except)
}

// compareClasses finds the classes that are new or gone. Addresses of a new class were in a class that
// differs from it in the sets that came and went, so no rule that stays tells the two apart.
func (s *step) compareClasses(before map[uint32]*known, came, went map[int32]bool) bool {
	var key []byte
	without := func(sets []int32, some map[int32]bool) string {
		key = key[:0]
		for _, n := range sets {
			if !some[n] {
				key = appendNumber(key, n)
			}
		}
		return string(key)
	}
	from := map[string]uint32{"": 0}
	for id, k := range before {
		now := s.history.classes[id]
		if now != nil && !slices.Equal(now.sets, k.sets) {
			return false
		}
		if now == nil {
			s.gone[id] = true
		}
		if left := without(k.sets, went); left != "" {
			from[left] = id
		}
	}
	for id, k := range s.history.classes {
		if before[id] != nil {
			continue
		}
		was, known := from[without(k.sets, came)]
		if !known {
			return false
		}
		s.fresh = append(s.fresh, origin{class: id, from: was})
	}
	slices.SortFunc(s.fresh, func(a, b origin) int { return cmp.Compare(a.class, b.class) })
	return true
}
