package eval

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/space"
)

// peers tells addresses apart as far as the rules of one direction of a profile do, so that
// packets are cut once for all of these rules, and not at each of them.
type peers struct {
	// table finds the class of a family and an address; class 0 is in no set.
	table space.Table
	// in has the sets of each class.
	in []map[*members]bool
}

// peersOf caches them.
type peersOf struct {
	mu   sync.Mutex
	made map[direction]*peers
}

// of returns the classes of the peers of one direction.
func (c *peersOf) of(x *policies, d direction) *peers {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.made[d]; p != nil {
		return p
	}
	if c.made == nil {
		c.made = make(map[direction]*peers)
	}
	p := newPeers(x.setsOf(d.Tiers(d.Direction)))
	c.made[d] = p
	return p
}

// setsOf returns the sets that rules name, each once.
func (x *policies) setsOf(tiers []ir.Tier) []*members {
	var out []*members
	seen := make(map[string]bool)
	for i := range tiers {
		for j := range tiers[i].Rules {
			for _, id := range tiers[i].Rules[j].Sets() {
				if !seen[id] {
					seen[id] = true
					out = append(out, x.sets[id])
				}
			}
		}
	}
	return out
}

// border is where a set begins to hold addresses, or ends before.
type border struct {
	at  space.Number
	set int
}

func newPeers(sets []*members) *peers {
	p := &peers{in: []map[*members]bool{{}}}
	known := map[string]int{"": 0}
	for _, ipv6 := range []bool{false, true} {
		var borders []border
		for i, s := range sets {
			list, _ := s.in(ipv6).Intervals()
			for _, x := range list {
				borders = append(borders, border{x.First, i})
				if end := x.Last.Next(); end != (space.Number{}) {
					borders = append(borders, border{end, i})
				}
			}
		}
		slices.SortFunc(borders, func(a, b border) int { return a.at.Compare(b.at) })
		p.sweep(borders, sets, known, one(space.N(uint64(family(ipv6)))))
	}
	return p
}

// sweep adds the intervals between borders. Each border of a set changes whether it holds
// what follows.
func (p *peers) sweep(borders []border, sets []*members, known map[string]int, family space.Interval) {
	var active []int
	for i := 0; i < len(borders); {
		at := borders[i].at
		for ; i < len(borders) && borders[i].at == at; i++ {
			if place, has := slices.BinarySearch(active, borders[i].set); has {
				active = slices.Delete(active, place, place+1)
			} else {
				active = slices.Insert(active, place, borders[i].set)
			}
		}
		last := space.Highest(128)
		if i < len(borders) {
			last = borders[i].at.Prev()
		}
		if class := p.class(active, sets, known); class != 0 {
			p.table.Add([]space.Interval{family, {First: at, Last: last}}, 0, class)
		}
	}
}

func (p *peers) class(active []int, sets []*members, known map[string]int) int {
	var key []byte
	for _, i := range active {
		key = binary.AppendUvarint(key, uint64(i))
	}
	class, has := known[string(key)]
	if !has {
		class = len(p.in)
		known[string(key)] = class
		in := make(map[*members]bool, len(active))
		for _, i := range active {
			in[sets[i]] = true
		}
		p.in = append(p.in, in)
	}
	return class
}
