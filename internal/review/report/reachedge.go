package report

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/connectivity"
)

// inside adds the edges between boxes.
func (d *drawing) inside(was, now *flows) {
	keys := slices.Concat(slices.Collect(maps.Keys(was.inside)), slices.Collect(maps.Keys(now.inside)))
	slices.SortFunc(keys, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	for _, k := range slices.Compact(keys) {
		old, is := was.inside[k], now.inside[k]
		d.edges(d.index[k[0]], d.index[k[1]], old, is)
	}
}

// edges adds what stays, opened and closed between two boxes.
func (d *drawing) edges(from, to int, old, is flow) {
	for _, part := range []struct {
		change string
		ports  clusterwide.Ports
	}{{"", is.ports.Intersect(old.ports)}, {"opened", is.ports.Minus(old.ports)}, {"closed", old.ports.Minus(is.ports)}} {
		if part.ports.Empty() {
			continue
		}
		e := Edge{From: from, To: to, Ports: part.ports.String(), Change: part.change, Because: is.because}
		if d.explain && len(is.because) == 0 {
			e.Because = d.why(old, is, part.ports, part.change != "closed")
		}
		d.out.Edges = append(d.out.Edges, e)
	}
}

// why names the rules of the new state that let packets through, or that refuse them.
func (d *drawing) why(old, is flow, ports clusterwide.Ports, accept bool) []Because {
	var out []Because
	for _, c := range d.causes(old, is) {
		if both := c.Ports.Intersect(ports); c.Accept != accept || both.Empty() {
			continue
		}
		switch {
		case c.Rule != nil:
			verb := "allowed by"
			if !accept {
				verb = "denied by"
			}
			at := d.after.Locate(*c.Rule)
			out = append(out, Because{Text: fmt.Sprintf("%v %s %s", c.Direction, verb, at.Object()), Origin: at})
		case len(c.Isolating) > 0:
			for _, o := range c.Isolating {
				at := d.after.Locate(o)
				out = append(out, Because{Text: fmt.Sprintf("%v: %s isolates %s, and no rule allows it", c.Direction, at.Object(), c.Subject), Origin: at})
			}
		default:
			out = append(out, Because{Text: c.String()})
		}
	}
	return slices.Compact(out)
}

// causes are those of the new state, where the edge may be gone.
func (d *drawing) causes(old, is flow) []connectivity.Cause {
	if len(is.from.Ends)+len(is.from.Networks) > 0 {
		return d.after.Map.Why(is.from, is.to)
	}
	f := connectivity.Filter{From: groupWords(old.from), To: groupWords(old.to)}
	var out []connectivity.Cause
	for _, x := range d.after.Map.Denied(f) {
		out = append(out, x.Causes...)
	}
	return out
}

// groupWords name a group for a filter.
func groupWords(g connectivity.Group) []string {
	var out []string
	for _, e := range g.Ends {
		out = append(out, e.String())
	}
	for _, p := range g.Networks {
		out = append(out, p.String())
	}
	return out
}

// outside adds the edges of boxes with networks, in pieces that each state treats alike.
func (d *drawing) outside(was, now *flows, leaving bool) {
	old, is := was.from, now.from
	if leaving {
		old, is = was.to, now.to
	}
	names := slices.Concat(slices.Collect(maps.Keys(old)), slices.Collect(maps.Keys(is)))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		for _, p := range pieces(old[name], is[name], leaving) {
			other := d.box(now.m.NetworkWords(p.networks), Workload{Outside: true})
			if leaving {
				d.edges(d.index[name], other, p.old, p.is)
			} else {
				d.edges(other, d.index[name], p.old, p.is)
			}
		}
	}
}

// piece is networks that have the same flows.
type piece struct {
	networks []netip.Prefix
	old, is  flow
}

// pieces cuts networks where either state tells them apart.
func pieces(old, is []flow, leaving bool) []piece {
	networks := func(f flow) []netip.Prefix {
		if leaving {
			return f.to.Networks
		}
		return f.from.Networks
	}
	var all []netip.Prefix
	for _, f := range slices.Concat(old, is) {
		all = append(all, networks(f)...)
	}
	at := func(list []flow, p netip.Prefix) (found flow, key string) {
		for _, f := range list {
			if slices.ContainsFunc(networks(f), func(n netip.Prefix) bool { return n.Bits() <= p.Bits() && n.Contains(p.Addr()) }) {
				f.ports = f.ports.Union(found.ports)
				found = f
			}
		}
		return found, found.ports.String()
	}
	index := make(map[[2]string]int)
	var out []piece
	for _, c := range clusterwide.Cuts(all...) {
		was, k1 := at(old, c.Prefix)
		now, k2 := at(is, c.Prefix)
		i, known := index[[2]string{k1, k2}]
		if !known {
			i = len(out)
			index[[2]string{k1, k2}] = i
			out = append(out, piece{old: was, is: now})
		}
		out[i].networks = append(out[i].networks, c.Pieces...)
	}
	for i := range out {
		out[i].networks = clusterwide.Fold(out[i].networks)
	}
	return out
}
