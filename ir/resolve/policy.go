package resolve

import (
	"iter"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Policy is the order-free form of an [ir.Policy].
type Policy struct {
	// Classes are sorted by ID. Addresses that none of them holds are of class
	// 0, which is not listed.
	Classes []Class
	// Hosts are single addresses, sorted; Networks are consulted for addresses
	// that are none of them, and of Networks, sorted by prefix, the longest that
	// contains an address decides. A network may have class 0.
	Hosts    []Host
	Networks []Network // ranges of addresses that are none of Hosts
	// Rows are distinct and sorted by ID.
	Rows []Row
	// Profiles are in the order of the program's.
	Profiles []Profile
}

// Class is a set of addresses that belong to the same address sets.
type Class struct {
	// ID is a hash of the sets' IDs, never 0 and unique: it says the same in
	// every program.
	ID uint32
	// set is of the forest that the class was found with, sets what its numbers
	// stand for.
	set    setID
	forest *forest
	sets   []ir.AddressSet
}

// Sets yields the IDs of the address sets, sorted; there is at least one. All
// classes together may have more than fits into memory.
func (c *Class) Sets() iter.Seq[string] {
	return func(yield func(string) bool) {
		if c.forest != nil {
			c.forest.each(c.set, func(n int32) bool { return yield(c.sets[n].ID) })
		}
	}
}

// Host is the class of one address.
type Host struct {
	Address netip.Addr // a single address
	Class   uint32     // the ID of its class, or 0
}

// Network is the class of a network's addresses.
type Network struct {
	Prefix netip.Prefix // the network, masked
	Class  uint32       // the ID of its addresses' class, or 0
}

// Profile holds the tables of one profile; a nil table accepts everything.
type Profile struct {
	*ir.Profile
	Ingress, Egress *Table // the tables of received and of sent packets
}

// Table returns the table of one direction.
func (p *Profile) Table(d ir.Direction) *Table {
	if d == ir.Ingress {
		return p.Ingress
	}
	return p.Egress
}

// Table says which row a packet gets, by the class of its peer.
type Table struct {
	// Default indexes the row of class 0 and of every class not in Rows.
	Default int
	// Rows are sorted by class; none has the default's row.
	Rows []ClassRow
}

// ClassRow gives a class its row.
type ClassRow struct {
	Class uint32 // the ID of a class
	// Row indexes Policy.Rows.
	Row int
}

// Row is a verdict for every packet.
type Row struct {
	// ID is made of the row's content: equal rows have equal IDs.
	ID string
	// Accept is the verdict for packets outside Except, also of protocols that
	// have no ports; packets inside Except get the other one.
	Accept bool
	// Except are disjoint, sorted, and as few as possible.
	Except []ir.PortRange
}

// Accepts returns the verdict of a row.
func (r *Row) Accepts(proto ir.Protocol, port uint16) bool {
	_, found := slices.BinarySearchFunc(r.Except, port, func(x ir.PortRange, port uint16) int {
		switch {
		case x.Protocol != proto:
			return int(x.Protocol) - int(proto)
		case x.Last < port:
			return -1
		case x.First > port:
			return 1
		}
		return 0
	})
	return r.Accept != found
}

// ClassOf returns the class of an address.
func (p *Policy) ClassOf(a netip.Addr) uint32 {
	i, found := slices.BinarySearchFunc(p.Hosts, a, func(h Host, a netip.Addr) int { return h.Address.Compare(a) })
	if found {
		return p.Hosts[i].Class
	}
	for bits := a.BitLen(); bits >= 0; bits-- {
		prefix, _ := a.Prefix(bits)
		i, found := slices.BinarySearchFunc(p.Networks, prefix, func(n Network, p netip.Prefix) int { return ir.ComparePrefix(n.Prefix, p) })
		if found {
			return p.Networks[i].Class
		}
	}
	return 0
}

// Row returns the index of the row that a class has in a table.
func (t *Table) Row(class uint32) int {
	i, found := slices.BinarySearchFunc(t.Rows, class, func(r ClassRow, class uint32) int {
		switch {
		case r.Class < class:
			return -1
		case r.Class > class:
			return 1
		}
		return 0
	})
	if found {
		return t.Rows[i].Row
	}
	return t.Default
}

// Accepts returns the verdict of a table for a packet whose peer is a.
func (p *Policy) Accepts(t *Table, a netip.Addr, proto ir.Protocol, port uint16) bool {
	return t == nil || p.Rows[t.Row(p.ClassOf(a))].Accepts(proto, port)
}
