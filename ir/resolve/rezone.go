//go:build !js

package resolve

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// rezoned makes only networks anew; hosts are moved.
func (h *history) rezoned(p *ir.Policy, moves []move, came, went map[int32]bool) *Policy {
	before := maps.Clone(h.classes)
	networks, ok := h.zones(p.AddressSets)
	if !ok {
		return nil
	}
	hosts, _, ok := h.shifts(moves, networks)
	if !ok {
		return nil
	}
	maps.DeleteFunc(h.classes, func(_ uint32, k *known) bool { return k.uses == 0 })
	s := step{history: h, policy: p, hosts: hosts, networks: networks, gone: make(map[uint32]bool)}
	if !s.compareClasses(before, came, went) {
		return nil
	}
	s.mergeClasses()
	s.start()
	return s.finish()
}

// hostMoves are the moves of single addresses into sets that come, and out of those that go: of
// the addresses that a set lists, and of the hosts in its networks; few is false if there are too
// many, or if a set has both.
func (h *history) hostMoves(next []ir.AddressSet, came, went map[int32]bool) (out []move, few bool) {
	for _, side := range []struct {
		sets    []ir.AddressSet
		changed map[int32]bool
		in      bool
	}{{h.of.AddressSets, went, false}, {next, came, true}} {
		for i := range side.sets {
			s := &side.sets[i]
			n, has := h.numbers[s.ID]
			if !has || !side.changed[n] {
				continue
			}
			if len(s.Addresses) > 0 && len(s.Prefixes) > 0 || len(out)+len(s.Addresses) > maxMoves {
				return nil, false
			}
			for _, a := range s.Addresses {
				out = append(out, move{a, change{n, side.in}})
			}
			for _, p := range s.Prefixes {
				seen := 0
				if out, seen = h.inside(out, p, s, change{n, side.in}); len(out)+seen > maxMoves {
					return nil, false
				}
			}
		}
	}
	sortMoves(out)
	return out, true
}

func sortMoves(list []move) {
	slices.SortFunc(list, func(a, b move) int {
		return cmp.Or(a.address.Compare(b.address), cmp.Compare(a.number, b.number))
	})
}

// inside adds a move of each host in a network of a set. It returns how many hosts it has looked at,
// which are no more than one above the allowed.
func (h *history) inside(out []move, p netip.Prefix, s *ir.AddressSet, c change) (moves []move, seen int) {
	at, _ := slices.BinarySearchFunc(h.out.Hosts, p.Addr(), func(x Host, a netip.Addr) int { return x.Address.Compare(a) })
	for _, host := range h.out.Hosts[at:] {
		if !p.Contains(host.Address) || seen > maxMoves {
			break
		}
		if seen++; s.InNetworks(host.Address) {
			out = append(out, move{host.Address, c})
		}
	}
	return out, seen
}

// zones makes the networks of the next policy, with their classes.
func (h *history) zones(sets []ir.AddressSet) (networks []Network, ok bool) {
	b := &builder{sets: sets, forest: newForest(len(sets))}
	b.networks()
	numbers := make([]int32, len(sets))
	for i := range sets {
		numbers[i] = h.number(sets[i].ID)
	}
	for _, n := range h.out.Networks {
		h.use(n.Class, -1)
	}
	ids, total := make([]uint32, len(b.nets)), 0
	for i := range b.nets {
		n := &b.nets[i]
		var list []int32
		if total > maxListed {
			return nil, false
		}
		b.forest.each(n.sets, func(s int32) bool {
			list = append(list, numbers[s])
			total++
			return total <= maxListed
		})
		if ids[i], ok = h.class(list); !ok {
			return nil, false
		}
		if n.parent < 0 || ids[n.parent] != ids[i] {
			networks = append(networks, Network{n.prefix, ids[i]})
			h.use(ids[i], 1)
		}
	}
	h.nets = make([]network, 0, len(networks))
	for _, n := range networks {
		h.nets = append(h.nets, network{prefix: n.Prefix, parent: enclosing(h.nets, n.Prefix)})
	}
	return networks, true
}
