package resolve

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Policy is the order-free form of an [ir.Policy].
type Policy struct {
	// Classes are sorted by ID. Addresses outside of all of them have class 0,
	// which is not listed.
	Classes []Class
	// Hosts are single addresses, sorted. For other addresses, the longest
	// network that contains the address decides. Networks are sorted by prefix;
	// a network may have class 0.
	Hosts    []Host
	Networks []Network // ranges of addresses, for addresses that are not in Hosts
	// Rows are distinct and sorted by ID.
	Rows []Row
	// Profiles are in the order of the program.
	Profiles []Profile
}

// Class is the set of addresses that belong to the same address sets.
type Class struct {
	// ID is a hash of the sets' IDs, unique and never 0. It means the same in
	// every program.
	ID uint32
	// set belongs to the forest of the class; sets translates its numbers to
	// IDs.
	set    setID
	forest *forest
	sets   []ir.AddressSet
	// listed are the sets of a class that came with a change (step.go): the IDs
	// themselves, without a forest.
	listed []string
}

// Sets yields the IDs of the address sets, sorted; there is at least one. It
// yields because the sets of all classes together may not fit into memory.
func (c *Class) Sets() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, id := range c.listed {
			if !yield(id) {
				return
			}
		}
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
	Ingress, Egress *Table // the tables for received and for sent packets
}

// Table returns the table of one direction.
func (p *Profile) Table(d ir.Direction) *Table {
	if d == ir.Ingress {
		return p.Ingress
	}
	return p.Egress
}

// Table maps the class of a packet's peer to a row.
type Table struct {
	// Own indexes the row for packets from the own node to its pods, or is -1 if
	// they all pass and none is logged. Egress tables and those of the node have -1.
	Own int
	// Default indexes the row of class 0 and of every class that Rows does not yield.
	Default int

	// classes are those of the policy.
	classes []Class
	// others is the row of most classes. rows are the other classes, sorted, with
	// their rows: a rule about every pod of the cluster gives a row to every class.
	others int
	rows   []ClassRow
	// counted says how many of rows have each row, sorted.
	counted []rowCount
}

// rowCount is how many of a table's classes have a row.
type rowCount struct{ row, classes int }

// ClassRow assigns a row to a class.
type ClassRow struct {
	Class uint32 // the ID of a class
	// Row indexes Policy.Rows.
	Row int
}

// Row is a verdict for every protocol and port.
type Row struct {
	// ID is derived from the row's content: equal rows have equal IDs.
	ID string
	// Accept is the verdict for packets outside of Except, also for protocols
	// without ports; packets inside of Except get the opposite verdict.
	Accept bool
	// Except is disjoint, minimal, and sorted: TCP, UDP, SCTP, ICMP and ICMPv6,
	// then other protocols by number.
	Except []ir.PortRange
	// Logs say which packets are written to the kernel's log, whatever their
	// verdict: each packet at most once. They are sorted by prefix.
	Logs []Log
	// Sources are source ports, sorted and disjoint, for which another row holds.
	Sources []SourceRow
}

// Log is the packets that are logged with one prefix.
type Log struct {
	Prefix string // what the line begins with
	// Every says whether packets outside of Except are logged; packets inside of
	// Except are if the others are not.
	Every  bool
	Except []ir.PortRange // as that of a row
}

// SourceRow is the row of packets from some source ports.
type SourceRow struct {
	Ports ir.PortRange // source ports of TCP, UDP or SCTP
	// Row indexes Policy.Rows; that row has no Sources.
	Row int
}

// Plain reports whether the row is nothing but a verdict on destination ports.
func (r *Row) Plain() bool { return len(r.Logs) == 0 && len(r.Sources) == 0 }

// Accepts returns the verdict of a row for a packet from a source port that
// Sources does not list. port is the destination port, or for ICMP type and code
// as [ir.TypeAndCode] puts them.
func (r *Row) Accepts(proto ir.Protocol, port uint16) bool {
	return r.Accept != holds(r.Except, proto, port)
}

// Logs reports whether a packet is logged.
func (l *Log) Logs(proto ir.Protocol, port uint16) bool {
	return l.Every != holds(l.Except, proto, port)
}

// holds searches ranges in the order of a row's.
func holds(ranges []ir.PortRange, proto ir.Protocol, port uint16) bool {
	if !proto.HasPorts() && !proto.HasTypes() {
		port = 0
	}
	place, _ := span(ir.PortRange{Protocol: proto, First: port, Last: port})
	_, found := slices.BinarySearchFunc(ranges, place, func(x ir.PortRange, place uint32) int {
		switch first, next := span(x); {
		case next <= place:
			return -1
		case first > place:
			return 1
		}
		return 0
	})
	return found
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

// Row returns the index of a class's row in a table.
func (t *Table) Row(class uint32) int {
	if class == 0 {
		return t.Default
	}
	i, found := slices.BinarySearchFunc(t.rows, class, func(r ClassRow, class uint32) int { return cmp.Compare(r.Class, class) })
	if found {
		return t.rows[i].Row
	}
	return t.others
}

// Rows yields the classes with another row than the default, sorted, with their places in the
// sequence.
func (t *Table) Rows(yield func(int, ClassRow) bool) {
	n, rows := 0, t.rows
	give := func(r ClassRow) bool {
		if r.Row == t.Default {
			return true
		}
		n++
		return yield(n-1, r)
	}
	if t.others == t.Default {
		for _, r := range rows {
			if !give(r) {
				return
			}
		}
		return
	}
	for i := range t.classes {
		r := ClassRow{t.classes[i].ID, t.others}
		if len(rows) > 0 && rows[0].Class == r.Class {
			r, rows = rows[0], rows[1:]
		}
		if !give(r) {
			return
		}
	}
}

// RowOf returns the row of a table for a packet whose peer is a, whose protocol
// is proto and whose source port is from; nil accepts everything.
func (p *Policy) RowOf(t *Table, a netip.Addr, proto ir.Protocol, from uint16) *Row {
	if t == nil {
		return nil
	}
	return p.from(t.Row(p.ClassOf(a)), proto, from)
}

// from returns a row, or the one that it has for the source port.
func (p *Policy) from(row int, proto ir.Protocol, port uint16) *Row {
	for _, s := range p.Rows[row].Sources {
		if s.Ports.Contains(proto, port) {
			return &p.Rows[s.Row]
		}
	}
	return &p.Rows[row]
}

// Accepts returns the verdict of a table for a packet whose peer is a. from is
// the source port.
func (p *Policy) Accepts(t *Table, a netip.Addr, proto ir.Protocol, port, from uint16) bool {
	row := p.RowOf(t, a, proto, from)
	return row == nil || row.Accepts(proto, port)
}

// Denies reports whether a table denies anything that does not come from the own node.
func (p *Policy) Denies(t *Table) bool {
	if t == nil {
		return false
	}
	denies := func(row int) bool {
		r := &p.Rows[row]
		return !r.Accept || len(r.Except) > 0 || slices.ContainsFunc(r.Sources, func(s SourceRow) bool {
			return !p.Rows[s.Row].Accept || len(p.Rows[s.Row].Except) > 0
		})
	}
	denied := false
	p.Used(t, func(row int) { denied = denied || denies(row) })
	return denied
}

// AcceptsOwn returns the verdict for a packet from the own node.
func (p *Policy) AcceptsOwn(t *Table, proto ir.Protocol, port, from uint16) bool {
	return t == nil || t.Own < 0 || p.from(t.Own, proto, from).Accepts(proto, port)
}
