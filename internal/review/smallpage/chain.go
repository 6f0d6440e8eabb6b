package smallpage

import (
	"fmt"
	"html"
	"strings"

	"github.com/planec/planec/ir/diag"
)

// Box is one box of a chain. Bad marks where a connection does not get.
type Box struct {
	Text string // one line
	Bad  bool
}

// The measures of a chain, in pixels.
const (
	charWidth = 7.4
	boxHeight = 30.0
	gapX      = 56.0
	gapY      = 12.0
)

// Chain draws boxes in columns, with arrows from each box of a column to each of the next
// one, dashed where the next one is bad. It is an svg element that needs nothing else.
func Chain(title string, columns [][]Box) string {
	height, width := 0.0, 8.0
	widths := make([]float64, len(columns))
	for i, c := range columns {
		for _, b := range c {
			widths[i] = max(widths[i], float64(len([]rune(b.Text)))*charWidth+20)
		}
		height = max(height, float64(len(c))*(boxHeight+gapY)-gapY)
		width += widths[i] + gapX
	}
	width, height = width-gapX+8, height+16
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="chain" role="img" aria-labelledby="chain-title" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f"><title id="chain-title">%s</title>`, width, height, width, height, escaped(title))
	b.WriteString(`<style>.chain { font: 13px ui-sans-serif, system-ui, sans-serif; --fg: #1b1f24; --box: #eef3fb; --edge: #5b6570; --rim: #0a58ca; --no: #b3261e; } @media (prefers-color-scheme: dark) { .chain { --fg: #e6e9ed; --box: #1e2733; --edge: #98a2ad; --rim: #7fb2ff; --no: #ff8a80; } } .chain text { fill: var(--fg); text-anchor: middle; } .chain rect { fill: var(--box); stroke: var(--rim); } .chain .bad { stroke: var(--no); stroke-dasharray: 4 3; } .chain path { fill: none; stroke: var(--edge); stroke-width: 1.4; } .chain path.bad { stroke: var(--no); } .chain .head { fill: var(--edge); stroke: none; }</style>`)
	b.WriteString(`<defs><marker id="chain-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>` + "\n")
	x := 8.0
	top := func(i, n int) float64 {
		return (height-float64(n)*(boxHeight+gapY)+gapY)/2 + float64(i)*(boxHeight+gapY)
	}
	for i, c := range columns {
		for j, box := range c {
			class := ""
			if box.Bad {
				class = ` class="bad"`
			}
			y := top(j, len(c))
			if i > 0 {
				for k := range columns[i-1] {
					fmt.Fprintf(&b, `<path%s d="M%.1f %.1fL%.1f %.1f" marker-end="url(#chain-head)"/>`, class, x-gapX, top(k, len(columns[i-1]))+boxHeight/2, x-1, y+boxHeight/2)
				}
			}
			fmt.Fprintf(&b, `<rect%s x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="6"/><text x="%.1f" y="%.1f">%s</text>`+"\n", class, x, y, widths[i], boxHeight, x+widths[i]/2, y+boxHeight/2+5, escaped(box.Text))
		}
		x += widths[i] + gapX
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func escaped(s string) string { return html.EscapeString(diag.Printable(s)) }
