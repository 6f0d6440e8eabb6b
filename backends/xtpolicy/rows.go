package xtpolicy

import (
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
	"github.com/planec/planec/ir/resolve"
)

// row is a verdict for every packet, as [resolve.Row]. Equal rows are shared.
type row struct {
	accept bool
	except []ir.PortRange
	// content identifies the row completely; code is a unique number.
	content string
	code    uint64
	// logs and sources are those of resolve's row; a row that has any is taken as it
	// is, and no pair of address and port comes before it.
	logs    []resolve.Log
	sources []source
}

// source is the row of packets from some source ports.
type source struct {
	ports ir.PortRange
	row   *row
}

// plain reports whether the row is nothing but a verdict on destination ports.
func (r *row) plain() bool { return len(r.logs) == 0 && len(r.sources) == 0 }

func (r *row) accepts(p ir.Protocol, port uint16) bool {
	ranges := resolve.Row{Accept: r.accept, Except: r.except}
	return ranges.Accepts(p, port)
}

// rows finds rows by content.
type rows struct {
	byContent map[string]*row
	// resolved maps the indices of resolve's rows to rows.
	resolved []*row
	splits   map[[2]*row]split
	codes    identity.Codes
	// text is a reusable buffer for contents.
	text []byte
}

func newRows(list []resolve.Row, hash identity.Hash) *rows {
	r := &rows{codes: identity.Codes{Hash: hash}, byContent: make(map[string]*row), splits: make(map[[2]*row]split)}
	for i := range list {
		r.resolved = append(r.resolved, r.resolve(&list[i]))
	}
	for i := range list {
		for _, s := range list[i].Sources {
			r.resolved[i].sources = append(r.resolved[i].sources, source{s.Ports, r.resolved[s.Row]})
		}
	}
	return r
}

// resolve returns resolve's row, as yet without its sources.
func (r *rows) resolve(x *resolve.Row) *row {
	if x.Plain() {
		return r.of(x.Accept, x.Except)
	}
	content := "row " + x.ID
	n := &row{accept: x.Accept, except: x.Except, content: content, code: r.codes.Of(content, nil), logs: x.Logs}
	r.byContent[content] = n
	return n
}

func (r *rows) of(accept bool, except []ir.PortRange) *row {
	r.text = append(r.text[:0], "deny"...)
	if accept {
		r.text = append(r.text[:0], "accept"...)
	}
	for _, x := range except {
		r.text = x.AppendTo(append(r.text, ','))
	}
	if have := r.byContent[string(r.text)]; have != nil {
		return have
	}
	content := string(r.text)
	n := &row{accept: accept, except: except, content: content, code: r.codes.Of(content, nil)}
	r.byContent[content] = n
	return n
}

// split describes how a host's row differs from the row it would get if no rule
// named it: a few ports are listed with its address, and the rest is another row.
type split struct {
	ports []ir.PortRange
	rest  *row
}

// mostExact is the maximum number of ports listed with the address of a host. It
// limits the elements that a pod costs in each profile.
const mostExact = 16

// split describes how a host surrounded by row base gets row r.
func (r *rows) split(to, base *row) split {
	if to == base {
		return split{rest: base}
	}
	if !to.plain() || !base.plain() {
		return split{rest: to}
	}
	key := [2]*row{to, base}
	if have, known := r.splits[key]; known {
		return have
	}
	s := split{rest: to}
	if to.accept == base.accept {
		var few, wide []ir.PortRange
		for _, x := range difference(to.except, base.except) {
			// Port 0 in a set is a special case that is not worth handling.
			if x.First == x.Last && x.First != 0 && x.Protocol.HasPorts() {
				few = append(few, x)
			} else {
				wide = append(wide, x)
			}
		}
		if len(few) <= mostExact {
			s = split{ports: few, rest: r.of(base.accept, difference(base.except, wide))}
		}
	}
	r.splits[key] = s
	return s
}

// target returns the target for packets to a row.
func (b *builder) target(r *row) string {
	switch {
	case len(r.except) > 0 || !r.plain():
		return " -g " + b.rowChain(r)
	case r.accept:
		return accepted
	}
	return b.refuse
}

// verdicts returns the targets for packets inside and outside the row's ranges. At
// the end of a chain, no rule means accept.
func (b *builder) verdicts(r *row) (inside string, outside []string) {
	if r.accept {
		return b.refuse, nil
	}
	return accepted, []string{b.refuse}
}

// fewGroups is the maximum number of port rules in a chain; more rules form a tree.
const fewGroups = 4

// rowChain returns the chain that matches ports; all profiles share it.
func (b *builder) rowChain(r *row) string {
	if name, have := b.ports[r]; have {
		return name
	}
	name := b.names.Of("PLC-ROW-", r.content)
	b.ports[r] = name
	inside, outside := b.verdicts(r)
	all := append(b.sourceRules(r), b.logRules(r)...)
	first := len(all)
	var trees []string
	for _, p := range ir.Protocols() {
		var ranges []ir.PortRange
		for _, x := range r.except {
			if x.Protocol == p {
				ranges = append(ranges, x)
			}
		}
		list := groups(ranges)
		if len(list) > fewGroups {
			sub := b.names.Of("PLC-PORTS-", name, p.String())
			b.chain(sub, b.portTree(name, r, list, portLevels-1)...)
			trees = append(trees, " -p "+p.String()+" -g "+sub)
			continue
		}
		for _, g := range list {
			all = append(all, matchPorts(g)+inside)
		}
	}
	accept, refuse := accepted, b.refuse
	if r.accept {
		accept, refuse = refuse, accept
	}
	for _, p := range otherProtocols(r.except) {
		all = append(all, b.protocolRules(only(r.except, p), p, accept, refuse)...)
	}
	b.chain(name, slices.Concat(all[:first], trees, all[first:], outside)...)
	return name
}

// portLevels returns the depth of the chains for the longest list of ports: 0 if
// the groups fit into the row's own chain, also for one of two joined rows.
func (b *builder) portLevels() int {
	for _, r := range b.rows.resolved {
		if len(r.except) >= mostPorts {
			return portLevels
		}
	}
	return 0
}

// portTree divides a long list of groups until the parts are short; all parts
// above the lowest level have their own chains. Halving gives the shortest paths;
// where that exceeds the allowed depth, a list is divided into more parts. Chain
// names derive from the row's name, which is short and unique.
func (b *builder) portTree(row string, r *row, list [][]ir.PortRange, levels int) []string {
	var rules []string
	for len(list) > fewGroups {
		at := len(list) - partSize(len(list), levels)
		upper := list[at:]
		from := ir.PortRange{Protocol: upper[0][0].Protocol, First: upper[0][0].First, Last: 65535}
		last := upper[len(upper)-1]
		name := b.names.Of("PLC-PORTS-", row, from.String(), last[len(last)-1].String())
		b.chain(name, b.portTree(row, r, upper, levels-1)...)
		rules = append(rules, matchPorts([]ir.PortRange{from})+" -g "+name)
		list = list[:at]
	}
	inside, outside := b.verdicts(r)
	for _, g := range list {
		rules = append(rules, matchPorts(g)+inside)
	}
	return append(rules, outside...)
}

// partSize returns how many groups of a long list get their own chain: the upper
// half, or as many as fit where halving would nest too deep.
func partSize(n, levels int) int {
	if n <= fewGroups<<levels {
		return n - n/2
	}
	room := func(parts int) int {
		size := fewGroups
		for range levels - 1 {
			size *= parts
		}
		return size
	}
	parts := 2
	for room(parts)*parts < n {
		parts++
	}
	return room(parts)
}
