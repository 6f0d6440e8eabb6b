package ebpf

import (
	"sync"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir/space"
)

// peers finds the rows of peers' addresses. A program looks up the class of an address and
// then the row of profile and class; the two are one table here, so that addresses of
// different classes stay together where a profile has one row for them.
type peers struct {
	mu      sync.Mutex
	classes map[bool]*space.Table // by family
	tables  map[peersKey]*space.Table
	rows    []layout.PolicyID // by what tables find
	index   map[layout.PolicyID]int
}

// peersKey is what a table depends on; row is that of peers without one of their own.
type peersKey struct {
	profile   layout.PolicyID
	direction uint8
	ipv6      bool
	row       layout.PolicyID
}

// rowOf returns the row for a peer of a subject.
func (r *run) rowOf(s subject, direction uint8, row layout.PolicyID, peer space.Value) layout.PolicyID {
	p := &r.policies.peers
	t := p.table(r.policies, peersKey{s.Profile, direction, r.packets.IPv6(), row})
	at, _ := t.Find(r.packets, peer)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rows[at]
}

func (p *peers) table(of *policies, key peersKey) *space.Table {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.tables[key]; t != nil {
		return t
	}
	if p.tables == nil {
		p.tables, p.classes, p.index = make(map[peersKey]*space.Table), make(map[bool]*space.Table), make(map[layout.PolicyID]int)
	}
	if p.classes[key.ipv6] == nil {
		p.classes[key.ipv6] = of.classes.in(layout.ClassSet(key.ipv6), key.ipv6)
	}
	t := p.classes[key.ipv6].Then(func(class int, _ bool) int {
		row := key.row
		if own, found := of.rows[layout.RowKey{Profile: key.profile, Class: layout.BE32Of(uint32(class)), Direction: key.direction}]; found {
			row = own
		}
		return p.place(row)
	})
	p.tables[key] = t
	return t
}

func (p *peers) place(row layout.PolicyID) int {
	at, has := p.index[row]
	if !has {
		at = len(p.rows)
		p.index[row], p.rows = at, append(p.rows, row)
	}
	return at
}
