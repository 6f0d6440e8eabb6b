package report

import (
	"cmp"
	"slices"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/ir"
)

// Bounds of a map. Above the first, namespaces stand for workloads; above the second,
// edges have no reasons: a page of this size says enough.
const (
	mostWorkloads = 120
	mostExplained = 15000
)

// Reach is who can reach whom in one state.
type Reach struct {
	Map *connectivity.Map
	// Locate finds the line of a rule's field, and the name of its file on the page.
	Locate func(ir.Origin) ir.Origin
}

// NewMap draws who can reach whom. With before, edges are what both states have, and
// what opened and closed; else before is nil.
func NewMap(before, after *Reach) *Map {
	states := []*Reach{after}
	if before != nil {
		states = append(states, before)
	}
	d := &drawing{after: after, index: make(map[string]int), out: &Map{Workloads: []Workload{}, Edges: []Edge{}}}
	for _, s := range states {
		d.fold = d.fold || len(s.Map.Ends) > mostWorkloads
	}
	for _, s := range states {
		d.workloads(s.Map)
	}
	d.out.Folded = d.fold
	now := d.flows(after.Map)
	was := now
	if before != nil {
		was = d.flows(before.Map)
	}
	d.explain = !d.fold && len(now.inside)+len(was.inside) <= mostExplained
	d.inside(was, now)
	d.outside(was, now, false)
	d.outside(was, now, true)
	slices.SortFunc(d.out.Edges, func(a, b Edge) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Change, b.Change), cmp.Compare(a.Ports, b.Ports))
	})
	return d.out
}

// drawing is a map in the making.
type drawing struct {
	after   *Reach
	fold    bool // namespaces stand for workloads
	explain bool
	index   map[string]int // the numbers of workloads
	out     *Map
}

// name is the box of an end: pods of one workload that policies treat in different
// ways share one.
func (d *drawing) name(e *connectivity.End) string {
	if d.fold {
		return e.Namespace
	}
	return e.String()
}

func (d *drawing) workloads(m *connectivity.Map) {
	pods := make(map[string]int)
	for _, e := range m.Ends {
		n := d.name(e)
		if d.fold {
			pods[n]++
		} else {
			pods[n] += len(e.Pods)
		}
		d.box(n, Workload{Namespace: e.Namespace})
	}
	for n, count := range pods {
		d.out.Workloads[d.index[n]].Pods = count
	}
}

// box returns the number of a box, which it makes where it is new.
func (d *drawing) box(name string, w Workload) int {
	i, known := d.index[name]
	if !known {
		i = len(d.out.Workloads)
		w.Name, d.index[name] = name, i
		d.out.Workloads = append(d.out.Workloads, w)
	}
	return i
}

// flows are a state's edges: between boxes, and of each box with networks.
type flows struct {
	m      *connectivity.Map
	inside map[[2]string]flow
	from   map[string][]flow // what networks send to a box
	to     map[string][]flow // what a box sends to networks
}

// flow is packets of one edge; from and to are groups that Why understands.
type flow struct {
	ports    clusterwide.Ports
	from, to connectivity.Group
	because  []Because // of entries
}

func (d *drawing) flows(m *connectivity.Map) *flows {
	f := &flows{m: m, inside: make(map[[2]string]flow), from: make(map[string][]flow), to: make(map[string][]flow)}
	for _, e := range m.Edges {
		switch {
		case len(e.From.Ends) == 0:
			for _, n := range d.names(e.To.Ends) {
				f.from[n] = append(f.from[n], flow{ports: *e.Ports, from: e.From, to: e.To})
			}
		case len(e.To.Ends) == 0:
			for _, n := range d.names(e.From.Ends) {
				f.to[n] = append(f.to[n], flow{ports: *e.Ports, from: e.From, to: e.To})
			}
		default:
			d.pairs(f, e)
		}
	}
	for _, e := range m.Entries {
		d.entry(f, e)
	}
	return f
}

// names are the boxes of ends, each once.
func (d *drawing) names(ends []*connectivity.End) []string {
	var out []string
	for _, e := range ends {
		out = append(out, d.name(e))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (d *drawing) pairs(f *flows, e *connectivity.Edge) {
	single := make(map[string]*connectivity.End, len(e.From.Ends)+len(e.To.Ends))
	for _, end := range slices.Concat(e.From.Ends, e.To.Ends) {
		single[d.name(end)] = end
	}
	from, to := d.names(e.From.Ends), d.names(e.To.Ends)
	for _, a := range from {
		for _, b := range to {
			if a == b && !d.fold {
				continue // replicas among themselves
			}
			k := [2]string{a, b}
			had := f.inside[k]
			f.inside[k] = flow{
				ports: had.ports.Union(*e.Ports),
				from:  connectivity.Group{Ends: []*connectivity.End{single[a]}}, to: connectivity.Group{Ends: []*connectivity.End{single[b]}},
			}
		}
	}
}

func (d *drawing) entry(f *flows, e *connectivity.Entry) {
	if e.Ports.Empty() {
		return
	}
	d.box(e.Via, Workload{Outside: true})
	k := [2]string{e.Via, d.name(e.To)}
	had := f.inside[k]
	had.ports = had.ports.Union(e.Ports)
	for _, n := range e.Because {
		had.because = append(had.because, Because{Text: n.String(), Origin: n.Origin})
	}
	f.inside[k] = had
}
