package connwrite

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/internal/review/connectivity"
)

// graph is the map as boxes and arrows. Workloads with the same arrows are one box, so that
// a cluster without policies is one box with an arrow to itself.
type graph struct {
	boxes  []*box
	arrows []*arrow
}

// boxKind is what a box stands for.
type boxKind uint8

const (
	sourceBox   boxKind = iota + 1 // networks or a controller from which packets come
	workloadBox                    // workloads
	sinkBox                        // networks to which packets go
)

type box struct {
	id    int
	kind  boxKind
	lines []string // what it stands for
	// open reports that no policy limits who reaches the workloads.
	open bool
	key  string
	ends []*connectivity.End // of workloads
}

type arrow struct {
	from, to *box
	label    string
}

// newGraph folds the edges of a map.
func newGraph(m *connectivity.Map) *graph {
	g, cells, apart := &graph{}, cellsOf(m), familiesOf(m)
	index := make(map[string]*box)
	get := func(kind boxKind, key string, lines ...string) *box {
		key = fmt.Sprint(kind, key)
		b := index[key]
		if b == nil {
			b = &box{kind: kind, lines: lines, key: key}
			index[key] = b
			g.boxes = append(g.boxes, b)
		}
		return b
	}
	side := func(kind boxKind, s connectivity.Group) []*box {
		if len(s.Ends) == 0 {
			words := m.NetworkWords(s.Networks)
			return []*box{get(kind, words, words)}
		}
		var out []*box
		for _, e := range s.Ends {
			if b := cells[e]; b != nil && !slices.Contains(out, b) {
				out = append(out, b)
			}
		}
		return out
	}
	for _, e := range m.Ends {
		if b := cells[e]; b != nil && !slices.Contains(g.boxes, b) {
			g.boxes = append(g.boxes, b)
		}
	}
	for _, e := range m.Edges {
		for _, from := range side(sourceBox, e.From) {
			for _, to := range side(sinkBox, e.To) {
				g.arrows = append(g.arrows, &arrow{from, to, over(e.Ports.String(), apart.boxes(from, to))})
			}
		}
	}
	for _, e := range m.Families {
		if e.Ports.Empty() {
			continue
		}
		for _, from := range side(sourceBox, e.From) {
			for _, to := range side(sinkBox, e.To) {
				g.arrows = append(g.arrows, &arrow{from, to, over(e.Ports.String(), connectivity.FamilyWord(e.Family))})
			}
		}
	}
	for _, e := range m.Entries {
		if b := cells[e.To]; b != nil && !e.Ports.Empty() {
			g.arrows = append(g.arrows, &arrow{get(sourceBox, "\x00"+e.Via, e.Via), b, e.Ports.String()})
		}
	}
	g.finish()
	return g
}

// finish numbers boxes and joins arrows between the same boxes.
func (g *graph) finish() {
	slices.SortStableFunc(g.boxes, func(a, b *box) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key)) })
	for i, b := range g.boxes {
		b.id = i
	}
	slices.SortStableFunc(g.arrows, func(a, b *arrow) int {
		return cmp.Or(cmp.Compare(a.from.id, b.from.id), cmp.Compare(a.to.id, b.to.id), cmp.Compare(a.label, b.label))
	})
	joined := g.arrows[:0]
	for _, a := range g.arrows {
		if n := len(joined); n > 0 && joined[n-1].from == a.from && joined[n-1].to == a.to {
			if joined[n-1].label != a.label {
				joined[n-1].label += "; " + a.label
			}
			continue
		}
		joined = append(joined, a)
	}
	g.arrows = joined
}

// cellsOf puts ends with the same edges into one box. Ends without an edge have none if the
// map is filtered.
func cellsOf(m *connectivity.Map) map[*connectivity.End]*box {
	marks := make(map[*connectivity.End]*strings.Builder)
	mark := func(e *connectivity.End, what string, i int) {
		if marks[e] == nil {
			marks[e] = &strings.Builder{}
		}
		fmt.Fprintf(marks[e], "%s%d ", what, i)
	}
	for i, e := range m.Edges {
		for _, x := range e.From.Ends {
			mark(x, "f", i)
		}
		for _, x := range e.To.Ends {
			mark(x, "t", i)
		}
	}
	for i, e := range m.Families {
		for _, x := range e.From.Ends {
			mark(x, "g", i)
		}
		for _, x := range e.To.Ends {
			mark(x, "u", i)
		}
	}
	for i, e := range m.Entries {
		mark(e.To, "e", i)
	}
	out, byMark := make(map[*connectivity.End]*box), make(map[string]*box)
	for _, e := range m.Ends {
		text := ""
		if marks[e] != nil {
			text = marks[e].String()
		} else if m.Filtered {
			continue
		}
		b := byMark[text]
		if b == nil {
			b = &box{kind: workloadBox, key: e.ID(), open: !e.Limited()}
			byMark[text] = b
		}
		b.lines, b.ends = append(b.lines, e.Label()), append(b.ends, e)
		out[e] = b
	}
	return out
}
