//go:build !js

package nftables

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// side is one of two programs that are compared.
type side struct {
	policy   *ir.Policy
	resolved *resolve.Policy
	part     *policyPart
}

// compareSides fills in the parts in which two programs differ; none if they differ in what all
// rules have.
func (b *Backend) compareSides(was, is *side) {
	if was.policy.OnDeny != is.policy.OnDeny || otherClasses(was.resolved.Classes) != otherClasses(is.resolved.Classes) {
		return
	}
	c := comparison{was: was, is: is, sameRows: sameMemory(was.resolved.Rows, is.resolved.Rows)}
	for _, s := range []*side{was, is} {
		s.part = &policyPart{faces: make(map[face]*facePart)}
	}
	c.addresses(!b.opts.NoComments)
	c.faces()
	c.rows()
}

// comparison compares two sides.
type comparison struct {
	was, is  *side
	sameRows bool
}

// sameMemory reports whether two lists are one.
func sameMemory[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// merge calls do with each pair of elements of two lists that are sorted by the same key; the
// one of the two that is missing is nil.
func merge[T any](a, b []T, compare func(x, y *T) int, do func(x, y *T)) {
	for len(a)+len(b) > 0 {
		order := 0
		switch {
		case len(a) == 0:
			order = 1
		case len(b) == 0:
			order = -1
		default:
			order = compare(&a[0], &b[0])
		}
		switch {
		case order < 0:
			do(&a[0], nil)
			a = a[1:]
		case order > 0:
			do(nil, &b[0])
			b = b[1:]
		default:
			do(&a[0], &b[0])
			a, b = a[1:], b[1:]
		}
	}
}

// addresses finds the hosts and networks that differ. If only one side has maps of them, it has
// them whole.
func (c *comparison) addresses(named bool) {
	one := c.was.findsPeers() != c.is.findsPeers()
	if one || !slices.Equal(c.was.resolved.Networks, c.is.resolved.Networks) {
		c.was.part.networks, c.is.part.networks = c.was.resolved.Networks, c.is.resolved.Networks
	}
	if one {
		c.was.part.hosts, c.is.part.hosts = c.was.resolved.Hosts, c.is.resolved.Hosts
		return
	}
	c.hosts(named)
}

// findsPeers reports whether the side's rules look up the class of peers.
func (s *side) findsPeers() bool {
	return slices.ContainsFunc(s.resolved.Profiles, func(p resolve.Profile) bool {
		return slices.ContainsFunc(ir.Directions(), func(d ir.Direction) bool { return p.Table(d) != nil && namesPeers(p.Tiers(d)) })
	})
}

// hosts finds the addresses with another class and, if the rules have names, with another name.
func (c *comparison) hosts(named bool) {
	renamed := make(map[netip.Addr]bool)
	if named && !sameMemory(c.was.policy.Peers, c.is.policy.Peers) {
		merge(c.was.policy.Peers, c.is.policy.Peers, func(x, y *ir.Peer) int { return x.Address.Compare(y.Address) }, func(x, y *ir.Peer) {
			if x == nil || y == nil || *x != *y {
				renamed[cmp.Or(x, y).Address] = true
			}
		})
	}
	was, is := c.was.resolved.Hosts, c.is.resolved.Hosts
	if len(renamed) == 0 && sameMemory(was, is) {
		return
	}
	merge(was, is, func(x, y *resolve.Host) int { return x.Address.Compare(y.Address) }, func(x, y *resolve.Host) {
		if x != nil && y != nil && x.Class == y.Class && !renamed[x.Address] {
			return
		}
		if x != nil {
			c.was.part.hosts = append(c.was.part.hosts, *x)
		}
		if y != nil {
			c.is.part.hosts = append(c.is.part.hosts, *y)
		}
	})
}

// faces finds the profiles and directions that differ. The rules of base chains go to the
// profile of the node, so that is always there.
func (c *comparison) faces() {
	merge(c.was.resolved.Profiles, c.is.resolved.Profiles, func(x, y *resolve.Profile) int { return cmp.Compare(x.ID, y.ID) }, func(x, y *resolve.Profile) {
		always := x == nil || y == nil || x.Node || y.Node || !samePods(x.Pods, y.Pods)
		for _, d := range ir.Directions() {
			var old, next *resolve.Table
			if x != nil {
				old = x.Table(d)
			}
			if y != nil {
				next = y.Table(d)
			}
			if old == nil && next == nil {
				continue
			}
			both := x != nil && y != nil && namesPeers(x.Tiers(d)) == namesPeers(y.Tiers(d))
			alike := both && old != nil && next != nil && c.alike(old, next)
			before, after := c.tables(old, next, both)
			if alike && !always && (!namesPeers(x.Tiers(d)) || len(before.rows)+len(after.rows) == 0 && c.sameRow(before.others, after.others)) {
				continue
			}
			at := face{cmp.Or(x, y).ID, d}
			before.mapped = alike && !always
			after.mapped = before.mapped
			if old != nil {
				c.was.part.faces[at] = before
			}
			if next != nil {
				c.is.part.faces[at] = after
			}
		}
	})
}

func samePods(a, b []ir.Pod) bool {
	return sameMemory(a, b) || slices.EqualFunc(a, b, func(x, y ir.Pod) bool {
		return x.Namespace == y.Namespace && x.Name == y.Name && slices.Equal(x.Addresses, y.Addresses)
	})
}

// alike reports whether two tables have the same rules besides their maps, and deny something
// or not.
func (c *comparison) alike(old, next *resolve.Table) bool {
	return (old.Own < 0) == (next.Own < 0) && (old.Own < 0 || c.sameRow(old.Own, next.Own)) && c.sameRow(old.Default, next.Default) &&
		(c.sameRows && old.Shares(next) || c.was.resolved.Denies(old) == c.is.resolved.Denies(next))
}

// sameRow reports whether two rows have one name.
func (c *comparison) sameRow(was, is int) bool {
	if c.sameRows {
		return was == is
	}
	return c.was.resolved.Rows[was].ID == c.is.resolved.Rows[is].ID
}

// tables compares the maps of two tables, of which one may be nil. both says that both have a
// map, or neither; otherwise the only one is written whole.
func (c *comparison) tables(old, next *resolve.Table, both bool) (before, after *facePart) {
	before, after = &facePart{}, &facePart{}
	if old != nil && next != nil && c.sameRows && old.Shares(next) {
		before.others, after.others = old.Others(), next.Others()
		return before, after
	}
	var was, is []resolve.ClassRow
	if old != nil {
		before.others, was = old.Compact()
	}
	if next != nil {
		after.others, is = next.Compact()
	}
	if !both {
		before.rows, after.rows = was, is
		return before, after
	}
	merge(was, is, func(x, y *resolve.ClassRow) int { return cmp.Compare(x.Class, y.Class) }, func(x, y *resolve.ClassRow) {
		if x != nil && y != nil && c.sameRow(x.Row, y.Row) {
			return
		}
		if x != nil {
			before.rows = append(before.rows, *x)
		}
		if y != nil {
			after.rows = append(after.rows, *y)
		}
	})
	return before, after
}

// rows finds the rows to write: those that the parts refer to and those that differ, if the
// side has them at all.
func (c *comparison) rows() {
	named := make(map[string]bool)
	was, is := c.was.used(named), c.is.used(named)
	merge(c.was.resolved.Rows, c.is.resolved.Rows, func(x, y *resolve.Row) int { return cmp.Compare(x.ID, y.ID) }, func(x, y *resolve.Row) {
		i, j := -1, -1
		if x != nil && was[x.ID] {
			i = 1
		}
		if y != nil && is[y.ID] {
			j = 1
		}
		if i != j || i > 0 && !c.sameRows && !c.sameContent(x, y) || x != nil && logsApart(x) || y != nil && logsApart(y) {
			named[cmp.Or(x, y).ID] = true
		}
	})
	c.was.rows(was, named)
	c.is.rows(is, named)
}

// logsApart reports whether a row has a chain for a log, which others may share.
func logsApart(r *resolve.Row) bool {
	return slices.ContainsFunc(r.Logs, func(l resolve.Log) bool { return l.Every && len(l.Except) > 0 })
}

// sameContent reports whether two rows of one name say the same. They do, unless hashes
// collide.
func (c *comparison) sameContent(x, y *resolve.Row) bool {
	return x.Accept == y.Accept && slices.Equal(x.Except, y.Except) &&
		slices.EqualFunc(x.Logs, y.Logs, func(a, b resolve.Log) bool {
			return a.Prefix == b.Prefix && a.Every == b.Every && slices.Equal(a.Except, b.Except)
		}) &&
		slices.EqualFunc(x.Sources, y.Sources, func(a, b resolve.SourceRow) bool { return a.Ports == b.Ports && c.sameRow(a.Row, b.Row) })
}

// used returns the names of all rows that the side's rules refer to, and adds those that its
// part refers to.
func (s *side) used(named map[string]bool) map[string]bool {
	all := make(map[string]bool)
	for i := range s.resolved.Profiles {
		p := &s.resolved.Profiles[i]
		for _, d := range ir.Directions() {
			t := p.Table(d)
			if t == nil {
				continue
			}
			rowsOf(s.resolved, p, t, d, func(row int) { all[s.resolved.Rows[row].ID] = true })
			if s.part.faces[face{p.ID, d}] != nil {
				rowsOf(s.resolved, p, t, d, func(row int) { named[s.resolved.Rows[row].ID] = true })
			}
		}
	}
	return all
}

// rows marks those of the side's rows that are named, with those of their source ports.
func (s *side) rows(used, named map[string]bool) {
	s.part.rows = make([]bool, len(s.resolved.Rows))
	for i := range s.resolved.Rows {
		if r := &s.resolved.Rows[i]; used[r.ID] && named[r.ID] {
			s.part.rows[i] = true
			for _, source := range r.Sources {
				s.part.rows[source.Row] = true
			}
		}
	}
}
