package nftables

import (
	"sync"

	"github.com/planec/planec/internal/text/nft"
	"github.com/planec/planec/ir/space"
)

// deferred is a priority that a map has for an address and that no rule has asked for yet.
// Packets of different priorities stay together until a rule tells them apart: policies set
// the priority to the class of an address, of which there are thousands, and few of them
// differ in one chain.
type deferred struct {
	from *set // the map
	key  space.Value
	// otherwise is the priority of what the map has not.
	otherwise uint32
}

// defers sets the priority without looking it up, if that can wait. The statement must be
// the last of its rule, because a look-up that finds nothing ends the rule.
func (m *machine) defers(s nft.SetFromMap) bool {
	if s.Field.Source != nft.MetaPriority || len(s.Key) != 1 || s.Set.Dynamic || m.interp.explain {
		return false
	}
	key := m.value(s.Key[0])
	if key.Known {
		return false
	}
	m.deferred = &deferred{from: m.table.sets[s.Set.Index], key: key, otherwise: m.plainPriority()}
	return true
}

func (m *machine) setPriority(n uint32) { m.priority, m.deferred = n, nil }

// plainPriority returns the priority where its value counts.
func (m *machine) plainPriority() uint32 {
	if d := m.deferred; d != nil {
		n := d.otherwise
		if at, ok := d.from.table.Find(m.packets, d.key); ok {
			n = d.from.data[at].number
		}
		m.setPriority(n)
	}
	return m.priority
}

// lookupDeferred looks a deferred priority up: it asks for the address what the set says of
// the priority that the map has for it.
func (m *machine) lookupDeferred(in *set) (found, bool) {
	t := m.interp.composed.of(m.deferred, in)
	at, ok := t.Find(m.packets, m.deferred.key)
	if !ok || at == 0 {
		return found{}, false
	}
	return found{element: in.data[at-1]}, true
}

// composed are tables from addresses to elements of sets of priorities.
type composed struct {
	mu     sync.Mutex
	tables map[composition]*space.Table
}

type composition struct {
	from, in  *set
	otherwise uint32
}

// of returns the table from what the map has to what the set has; its values are places in
// the set's data, from 1, and 0 is nothing.
func (c *composed) of(d *deferred, in *set) *space.Table {
	key := composition{d.from, in, d.otherwise}
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.tables[key]; t != nil {
		return t
	}
	place := func(n uint32) int {
		at, ok := in.table.Find(nil, known(n))
		if !ok {
			return 0
		}
		return at + 1
	}
	t := d.from.table.Then(func(at int, found bool) int {
		if !found {
			return place(d.otherwise)
		}
		return place(d.from.data[at].number)
	})
	if c.tables == nil {
		c.tables = make(map[composition]*space.Table)
	}
	c.tables[key] = t
	return t
}
