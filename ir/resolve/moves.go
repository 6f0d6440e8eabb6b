//go:build !js

package resolve

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// move is an address that comes into a set, or leaves it.
type move struct {
	address netip.Addr
	change
}

// moves compares the address sets of two policies; ok is false if more differs than
// addresses, or too many of these.
func (h *history) moves(next []ir.AddressSet) (out []move, ok bool) {
	old := h.of.AddressSets
	for len(old)+len(next) > 0 {
		var was, is ir.AddressSet
		switch order := compareFirst(old, next); {
		case order < 0:
			was, old = old[0], old[1:]
		case order > 0:
			is, next = next[0], next[1:]
		default:
			was, is, old, next = old[0], next[0], old[1:], next[1:]
		}
		if !slices.Equal(was.Prefixes, is.Prefixes) || !slices.Equal(was.Except, is.Except) || was.OwnNode != is.OwnNode {
			return nil, false
		}
		if sameList(was.Addresses, is.Addresses) {
			continue
		}
		// An address of a set that leaves its list may be in one of its networks too.
		if len(is.Prefixes) > 0 || len(is.Addresses)+maxMoves < len(was.Addresses) || len(was.Addresses)+maxMoves < len(is.Addresses) {
			return nil, false
		}
		out = appendMoves(out, h.number(cmp.Or(was.ID, is.ID)), was.Addresses, is.Addresses)
		if len(out) > maxMoves {
			return nil, false
		}
	}
	sortMoves(out)
	return out, true
}

// compareFirst compares the IDs of the first sets of two lists, of which one may be empty.
func compareFirst(a, b []ir.AddressSet) int {
	switch {
	case len(b) == 0:
		return -1
	case len(a) == 0:
		return 1
	}
	return cmp.Compare(a[0].ID, b[0].ID)
}

// appendMoves compares two sorted lists of the addresses of a set.
func appendMoves(out []move, number int32, old, next []netip.Addr) []move {
	for len(old)+len(next) > 0 {
		switch {
		case len(next) == 0 || len(old) > 0 && old[0].Less(next[0]):
			out, old = append(out, move{old[0], change{number, false}}), old[1:]
		case len(old) == 0 || next[0].Less(old[0]):
			out, next = append(out, move{next[0], change{number, true}}), next[1:]
		default:
			old, next = old[1:], next[1:]
		}
	}
	return out
}

// shifts moves the addresses to their new classes, in networks that may be new. It returns the
// hosts and how classes came from others; ok is false if a class has the hash of another one,
// or if too many sets would be looked at.
func (h *history) shifts(moves []move, networks []Network) (hosts []Host, from []origin, ok bool) {
	hosts = make([]Host, 0, len(h.out.Hosts)+len(moves))
	rest, work := h.out.Hosts, 0
	for len(moves) > 0 {
		a, n := moves[0].address, 1
		for n < len(moves) && moves[n].address == a {
			n++
		}
		at, listed := slices.BinarySearchFunc(rest, a, func(x Host, a netip.Addr) int { return x.Address.Compare(a) })
		hosts, rest = append(hosts, rest[:at]...), rest[at:]
		around := h.around(networks, a)
		was := around
		if listed {
			was, rest = rest[0].Class, rest[1:]
			h.use(was, -1)
		}
		sets := h.moved(was, moves[:n])
		is, ok := h.class(sets)
		if work += len(sets); !ok || work > maxListed {
			return nil, nil, false
		}
		if is != around {
			hosts = append(hosts, Host{a, is})
			h.use(is, 1)
		}
		if is != was {
			from = append(from, origin{class: is, from: was, moves: moves[:n]})
		}
		moves = moves[n:]
	}
	return append(hosts, rest...), from, true
}

// origin is a class of an address, and the class that the address was in before its moves.
type origin struct {
	class, from uint32
	moves       []move
}

// around is the class of the networks with an address; the list is that of nets.
func (h *history) around(list []Network, a netip.Addr) uint32 {
	if i := longest(h.nets, a); i >= 0 {
		return list[i].Class
	}
	return 0
}

// moved returns the sets of a class after moves of one address.
func (h *history) moved(class uint32, moves []move) []int32 {
	var had []int32
	if k := h.classes[class]; k != nil {
		had = k.sets
	}
	out := make([]int32, 0, len(had)+len(moves))
	for _, s := range had {
		if !slices.ContainsFunc(moves, func(m move) bool { return m.number == s && !m.in }) {
			out = append(out, s)
		}
	}
	for _, m := range moves {
		if m.in && !slices.Contains(out, m.number) {
			out = append(out, m.number)
		}
	}
	return h.sorted(out)
}
