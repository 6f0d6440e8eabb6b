package connwrite

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/ir"
)

// Options are what is written besides the edges.
type Options struct {
	Explain bool // what lets each edge through, with file and line
	// Locate refines places, from the object's line to the field's. It may be nil.
	Locate func(list []connectivity.Cause)
	// Asked is what was asked for by name on both sides, so that what is denied is said too.
	Asked []connectivity.Denied
	// Notes are sentences for the end.
	Notes []string
	// Exposures are written after the edges, if they were asked for.
	Exposures *connectivity.Exposure
}

// block is everything that reaches one destination, or several alike.
type block struct {
	to    string  // the destination in words
	why   string  // which policies limit who reaches it
	lines []*line // sorted
	key   string  // equal blocks have equal keys
	ends  []*connectivity.End
	rank  int
}

// line is everything that reaches a destination on the same ports.
type line struct {
	key    string
	ports  string
	from   []string
	causes []string
	edges  []*connectivity.Edge
}

// blocks folds edges by destination: ends that are reached in the same way are one block.
func blocks(m *connectivity.Map, o *Options) []*block {
	byTo := make(map[string]*block)
	var order []*block
	for _, e := range m.Edges {
		key := toKey(m, e.To)
		b := byTo[key]
		if b == nil {
			b = &block{key: key, ends: e.To.Ends}
			if len(e.To.Ends) == 0 {
				b.to, b.rank = m.NetworkWords(e.To.Networks), 1
			}
			byTo[key] = b
			order = append(order, b)
		}
		b.add(m, e, o)
	}
	for _, b := range order {
		b.finish(m, o)
	}
	slices.SortStableFunc(order, func(x, y *block) int { return cmp.Or(cmp.Compare(x.rank, y.rank), cmp.Compare(x.key, y.key)) })
	return order
}

// toKey identifies a destination. Ends of one class are one destination.
func toKey(m *connectivity.Map, g connectivity.Group) string {
	if len(g.Ends) == 0 {
		return m.NetworkWords(g.Networks)
	}
	ids := make([]string, len(g.Ends))
	for i, e := range g.Ends {
		ids[i] = e.ID()
	}
	return strings.Join(ids, "\x00")
}

// add puts an edge into the line of its ports; with explanations, of its causes too, so
// that each source stands beside what lets it through.
func (b *block) add(m *connectivity.Map, e *connectivity.Edge, o *Options) {
	key := e.Ports.String()
	if o.Explain {
		for _, c := range causes(m, e, o) {
			if c.Open() {
				key += "\x00" + c.Kind()
			} else {
				key += "\x00" + c.String()
			}
		}
	}
	at := slices.IndexFunc(b.lines, func(l *line) bool { return l.key == key })
	if at < 0 {
		at = len(b.lines)
		b.lines = append(b.lines, &line{ports: e.Ports.String(), key: key})
	}
	b.lines[at].edges = append(b.lines[at].edges, e)
}

// mostNames bounds the names of one cell.
const mostNames = 8

func (b *block) finish(m *connectivity.Map, o *Options) {
	if len(b.ends) > 0 {
		b.to = strings.Join(shorten(m.Names(b.ends, nil), "workloads"), ", ")
		b.why = guardWords(b.ends[0])
	}
	for _, l := range b.lines {
		l.finish(m, o, b)
	}
	slices.SortStableFunc(b.lines, func(x, y *line) int { return cmp.Compare(len(x.edges), len(y.edges)) })
}

func (l *line) finish(m *connectivity.Map, o *Options, b *block) {
	var ends []*connectivity.End
	var networks []string
	for _, e := range l.edges {
		ends = append(ends, e.From.Ends...)
		if len(e.From.Ends) == 0 {
			networks = append(networks, m.NetworkWords(e.From.Networks))
		}
	}
	names := shorten(m.Names(ends, b.ends), "workloads")
	if len(ends) > 0 && len(names) == 0 { // only the other pods of the destination itself
		names = []string{"its other pods"}
	}
	l.from = append(names, networks...)
	if o.Explain {
		l.causes = causesOf(m, l.edges, o)
	}
}

// causesOf returns what lets edges through, each once. That no policy selects several
// workloads is one sentence.
func causesOf(m *connectivity.Map, edges []*connectivity.Edge, o *Options) []string {
	var all []cause
	for _, e := range edges {
		all = append(all, causes(m, e, o)...)
	}
	return causeTexts(all)
}

// causes returns what lets one edge through, with the lines of fields.
func causes(m *connectivity.Map, e *connectivity.Edge, o *Options) []cause {
	list := m.Allowing(e)
	if o.Locate != nil {
		o.Locate(list)
	}
	out := make([]cause, len(list))
	for i := range list {
		out[i] = cause{Cause: list[i], of: e}
	}
	return out
}

// cause is a cause of an edge.
type cause struct {
	connectivity.Cause
	of *connectivity.Edge
}

// causeTexts formats causes, those of egress first; one for a part of an edge's ports
// says so.
func causeTexts(all []cause) []string {
	texts := make(map[ir.Direction][]string)
	subjects := make(map[string][]string) // of causes without a rule, by kind
	for i := range all {
		c := &all[i].Cause
		text := c.String()
		switch part := c.Ports.String(); {
		case c.Open():
			text = c.Kind()
			if !slices.Contains(subjects[text], c.Subject) {
				subjects[text] = append(subjects[text], c.Subject)
			}
		case part != all[i].of.Ports.String():
			text += " on " + part
		}
		if !slices.Contains(texts[c.Direction], text) {
			texts[c.Direction] = append(texts[c.Direction], text)
		}
	}
	for i := range all {
		if c := all[i].Cause; c.Open() {
			kind := c.Kind()
			if at := slices.Index(texts[c.Direction], kind); at >= 0 {
				c.Subject = clusterwide.Join(shorten(subjects[kind], "workloads"), "and")
				texts[c.Direction][at] = c.String()
			}
		}
	}
	return append(texts[ir.Egress], texts[ir.Ingress]...)
}

// guardWords says whether policies limit who reaches an end.
func guardWords(e *connectivity.End) string {
	switch {
	case e.Host:
		return "on the host's network, where no policy applies"
	case e.Limited():
		return ""
	case e.Unselected():
		return "no policy limits who reaches it"
	}
	return "its policies admit everything"
}

// shorten keeps the first names of a list.
func shorten(names []string, what string) []string {
	if len(names) <= mostNames+1 {
		return names
	}
	return append(slices.Clip(names[:mostNames]), fmt.Sprintf("%d more %s", len(names)-mostNames, what))
}
