package connwrite

import (
	"cmp"
	"slices"
)

// drawn is a box with its place in the drawing, in pixels.
type drawn struct {
	*box
	text          []string // at most mostLines
	column        int
	x, y          float64 // the upper left corner
	width, height float64
	weight        float64 // where its neighbours are, for the order in a column
}

// The measures of a drawing, in pixels.
const (
	lineHeight = 17
	charWidth  = 7.3
	padding    = 9
	gapX, gapY = 170, 26
	mostLines  = 7
)

// layout is a drawing in columns: what packets come from, then workloads, each to the right
// of most of what reaches it, then where packets go.
type layout struct {
	boxes         []*drawn // in the order of graph.boxes
	columns       [][]*drawn
	width, height float64
	arrows        []*arrow
	said          map[int]bool // boxes whose ports are written
	// lanes are where an arrow passes the columns between its boxes; links are the boxes
	// and lanes that it connects.
	lanes map[*arrow][]*drawn
	links [][2]*drawn
}

func newLayout(g *graph) *layout {
	l := &layout{arrows: g.arrows, said: make(map[int]bool), lanes: make(map[*arrow][]*drawn)}
	for _, b := range g.boxes {
		d := &drawn{box: b, text: shortLines(b.lines)}
		widest := 0
		for _, t := range d.text {
			widest = max(widest, len([]rune(t)))
		}
		d.width, d.height = float64(widest)*charWidth+2*padding, float64(len(d.text))*lineHeight+2*padding
		l.boxes = append(l.boxes, d)
	}
	l.rank(g)
	l.route()
	l.order()
	l.place()
	return l
}

func shortLines(lines []string) []string {
	if len(lines) <= mostLines {
		return lines
	}
	return append(slices.Clone(lines[:mostLines-1]), several(len(lines)-mostLines+1, "more workload"))
}

// rank puts boxes into columns: the longest path without arrows that lead back. Which ones
// lead back is found by a search in the order of boxes, so it is the same every time.
func (l *layout) rank(g *graph) {
	out := make([][]int, len(g.boxes))
	for _, a := range g.arrows {
		if a.from != a.to && a.from.kind != sourceBox && a.to.kind != sinkBox {
			out[a.from.id] = append(out[a.from.id], a.to.id)
		}
	}
	state, finished := make([]int, len(g.boxes)), []int(nil)
	forward := make([][]int, len(g.boxes))
	type step struct{ at, next int }
	for i := range g.boxes {
		stack := []step{{i, 0}}
		if state[i] != 0 {
			continue
		}
		for state[i] = 1; len(stack) > 0; {
			s := &stack[len(stack)-1]
			if s.next == len(out[s.at]) {
				state[s.at] = 2
				finished, stack = append(finished, s.at), stack[:len(stack)-1]
				continue
			}
			to := out[s.at][s.next]
			s.next++
			if state[to] == 1 {
				continue // it leads back
			}
			forward[s.at] = append(forward[s.at], to)
			if state[to] == 0 {
				state[to] = 1
				stack = append(stack, step{to, 0})
			}
		}
	}
	last := 1
	for _, b := range l.boxes {
		if b.kind != sourceBox {
			b.column = 1
		}
	}
	for _, at := range slices.Backward(finished) {
		for _, to := range forward[at] {
			l.boxes[to].column = max(l.boxes[to].column, l.boxes[at].column+1)
			last = max(last, l.boxes[to].column)
		}
	}
	l.columns = make([][]*drawn, last+2)
	for _, b := range l.boxes {
		if b.kind == sinkBox {
			b.column = last + 1
		}
		l.columns[b.column] = append(l.columns[b.column], b)
	}
	l.columns = slices.DeleteFunc(l.columns, func(c []*drawn) bool { return len(c) == 0 })
	for i, c := range l.columns {
		for _, b := range c {
			b.column = i
		}
	}
}

// route gives arrows over several columns a lane in each, so that no box hides them.
func (l *layout) route() {
	for _, a := range l.arrows {
		from, to := l.boxes[a.from.id], l.boxes[a.to.id]
		at := from
		for c := from.column + 1; c < to.column; c++ {
			lane := &drawn{column: c, height: 4}
			l.columns[c] = append(l.columns[c], lane)
			l.lanes[a] = append(l.lanes[a], lane)
			l.links = append(l.links, [2]*drawn{at, lane})
			at = lane
		}
		l.links = append(l.links, [2]*drawn{at, to})
	}
}

// order sorts columns by where the neighbours of their boxes are, a few times.
func (l *layout) order() {
	for range 6 {
		for _, c := range l.columns {
			for i, b := range c {
				b.y = (float64(i) + .5) / float64(len(c))
			}
		}
		sum, n := make(map[*drawn]float64), make(map[*drawn]float64)
		for _, k := range l.links {
			sum[k[0]], n[k[0]] = sum[k[0]]+k[1].y, n[k[0]]+1
			sum[k[1]], n[k[1]] = sum[k[1]]+k[0].y, n[k[1]]+1
		}
		for _, c := range l.columns {
			for _, b := range c {
				b.weight = (b.y + sum[b]) / (1 + n[b])
			}
			slices.SortStableFunc(c, func(a, b *drawn) int { return cmp.Compare(a.weight, b.weight) })
		}
	}
}

// place gives boxes their places, columns centred.
func (l *layout) place() {
	heights := make([]float64, len(l.columns))
	for i, c := range l.columns {
		for _, b := range c {
			heights[i] += b.height + gapY
		}
		l.height = max(l.height, heights[i])
	}
	x := 30.0
	for i, c := range l.columns {
		widest, y := 0.0, (l.height-heights[i])/2+gapY/2+30
		for _, b := range c {
			widest = max(widest, b.width)
		}
		for _, b := range c {
			if b.box == nil {
				b.width = widest
			}
			b.x, b.y = x+(widest-b.width)/2, y
			y += b.height + gapY
		}
		x += widest + gapX
	}
	l.width, l.height = max(x-gapX+90, 200), l.height+60
}
