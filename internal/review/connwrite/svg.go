package connwrite

import (
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/ir/diag"
)

// SVG writes a drawing that needs no other program: boxes in columns, light or dark as the
// reader's settings say, with titles for screen readers.
func SVG(w io.Writer, m *connectivity.Map, _ *Options) error {
	_, err := io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+drawing(m))
	return err
}

// style is that of a drawing. Ports stand on a rim in the colour of the page.
const style = `<style>
.planec { --fg: #1b1f24; --bg: #fff; --box: #eef3fb; --edge: #5b6570; --rim: #0a58ca; --outside: #f6f1e4; font: 13px ui-sans-serif, system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { .planec { --fg: #e6e9ed; --bg: #14171b; --box: #1e2733; --edge: #98a2ad; --rim: #7fb2ff; --outside: #2c2818; } }
.planec .page { fill: var(--bg); } .planec text { fill: var(--fg); }
.planec .box { fill: var(--box); stroke: var(--rim); stroke-width: 1.3; } .planec .open { stroke-dasharray: 5 4; } .planec .outside { fill: var(--outside); stroke: var(--edge); }
.planec .edge { fill: none; stroke: var(--edge); stroke-width: 1.3; } .planec .head { fill: var(--edge); }
.planec .ports { font-size: 11px; text-anchor: middle; stroke: var(--bg); stroke-width: 4px; paint-order: stroke; }
</style>
`

// drawing returns the svg element.
func drawing(m *connectivity.Map) string {
	g := newGraph(m)
	l := newLayout(g)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="planec" role="img" aria-labelledby="planec-title planec-desc" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f">`+"\n", l.width, l.height, l.width, l.height)
	fmt.Fprintf(&b, "<title id=\"planec-title\">Who can reach whom</title>\n<desc id=\"planec-desc\">%s</desc>\n", text(description(m, g)))
	b.WriteString(style)
	b.WriteString(`<defs><marker id="planec-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>` + "\n")
	fmt.Fprintf(&b, `<rect class="page" width="%.0f" height="%.0f"/>`+"\n", l.width, l.height)
	var labels strings.Builder
	for i, a := range g.arrows {
		drawArrow(&b, &labels, l, a, i)
	}
	for _, d := range l.boxes {
		drawBox(&b, d)
	}
	b.WriteString(labels.String() + "</svg>\n")
	return b.String()
}

// description says in words what the drawing shows.
func description(m *connectivity.Map, g *graph) string {
	out := []string{Summary(m) + "."}
	for _, a := range g.arrows {
		out = append(out, arrowWords(a)+".")
	}
	return strings.Join(out, " ")
}

func arrowWords(a *arrow) string {
	names := func(b *box) string { return strings.Join(shorten(b.lines, "workloads"), ", ") }
	if a.from == a.to {
		return fmt.Sprintf("%s reach each other on %s", names(a.from), a.label)
	}
	return fmt.Sprintf("%s can reach %s on %s", names(a.from), names(a.to), a.label)
}

func drawBox(b *strings.Builder, d *drawn) {
	class, round := "box", 6.0
	switch {
	case d.kind != workloadBox:
		class, round = "box outside", d.height/2
	case d.open:
		class = "box open"
	}
	fmt.Fprintf(b, `<g><title>%s</title><rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%.1f"/>`, text(strings.Join(d.lines, ", ")), class, d.x, d.y, d.width, d.height, round)
	for i, t := range d.text {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f">%s</text>`, d.x+padding, d.y+padding+float64(i)*lineHeight+13, text(t))
	}
	b.WriteString("</g>\n")
}

// drawArrow draws an arrow and writes its ports to labels, which are above all boxes.
func drawArrow(b, labels *strings.Builder, l *layout, a *arrow, number int) {
	from, to := l.boxes[a.from.id], l.boxes[a.to.id]
	x1, y1 := from.x+from.width, from.y+from.height/2
	x2, y2 := to.x, to.y+to.height/2
	path, lx, ly := "", 0.0, 0.0
	switch {
	case from == to:
		x, y := from.x+from.width, from.y+from.height/2
		path = fmt.Sprintf("M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x, y-6, x+46, y-26, x+46, y+26, x, y+6)
		lx, ly = x+38, y-16
	case to.column > from.column:
		path = fmt.Sprintf("M%.1f %.1f", x1, y1)
		for _, lane := range l.lanes[a] {
			half := (lane.x - x1) / 2
			path += fmt.Sprintf("C%.1f %.1f %.1f %.1f %.1f %.1fH%.1f", x1+half, y1, lane.x-half, lane.y, lane.x, lane.y, lane.x+lane.width)
			x1, y1 = lane.x+lane.width, lane.y
		}
		half := (x2 - x1) / 2
		path += fmt.Sprintf("C%.1f %.1f %.1f %.1f %.1f %.1f", x1+half, y1, x2-half, y2, x2-1, y2)
		lx, ly = l.labelPlace(a, x1, y1, x2, y2)
	default: // back, below the boxes between
		x1, x2 = from.x+from.width/2, to.x+to.width/2
		y1, y2 = from.y+from.height, to.y+to.height
		low := max(y1, y2) + 34 + float64(number%4)*9
		path = fmt.Sprintf("M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x1, y1, x1, low, x2, low, x2, y2+1)
		lx, ly = bezier(x1, x1, x2, x2, .5), bezier(y1, low, low, y2, .5)-2
	}
	fmt.Fprintf(b, `<g><title>%s</title><path class="edge" d="%s" marker-end="url(#planec-head)"/></g>`+"\n", text(arrowWords(a)), path)
	if from != to && to.column > from.column && l.oneLabel(a) {
		if l.said[a.to.id] {
			return
		}
		l.said[a.to.id] = true
	}
	fmt.Fprintf(labels, `<text class="ports" x="%.1f" y="%.1f">%s</text>`+"\n", lx, ly, text(clip(a.label)))
}

// oneLabel reports whether all arrows that come to a box from the left have the same
// ports, which then stand once before the box.
func (l *layout) oneLabel(a *arrow) bool {
	for _, o := range l.arrows {
		if o.to == a.to && o.label != a.label && l.boxes[o.from.id].column < l.boxes[o.to.id].column {
			return false
		}
	}
	return true
}

// labelPlace returns where the ports of an arrow stand: in the gap before its box, on the
// arrow or above its head.
func (l *layout) labelPlace(a *arrow, x1, y1, x2, y2 float64) (x, y float64) {
	if l.oneLabel(a) {
		return x2 - 12 - float64(len([]rune(clip(a.label))))*3, y2 - 7
	}
	half, t := (x2-x1)/2, .5
	for t < .95 && bezier(x1, x1+half, x2-half, x2, t) < x2-gapX*.4 {
		t += .01
	}
	return bezier(x1, x1+half, x2-half, x2, t), bezier(y1, y1, y2, y2, t) - 4
}

func bezier(a, b, c, d, t float64) float64 {
	u := 1 - t
	return u*u*u*a + 3*u*u*t*b + 3*u*t*t*c + t*t*t*d
}

// clip shortens a label; the arrow's title has all of it.
func clip(s string) string {
	const most = 34
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// text escapes text of the drawing.
func text(s string) string { return html.EscapeString(diag.Printable(s)) }
