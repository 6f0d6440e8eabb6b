package connwrite

import (
	"fmt"
	"io"
	"strings"

	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/ir/diag"
)

// DOT writes a graph for Graphviz. Workloads with the same arrows are one box; a dashed box
// is one that no policy keeps anything from.
func DOT(w io.Writer, m *connectivity.Map, _ *Options) error {
	g := newGraph(m)
	var b strings.Builder
	b.WriteString("digraph connectivity {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n")
	for _, x := range g.boxes {
		style := ""
		switch {
		case x.kind != workloadBox:
			style = ", shape=ellipse"
		case x.open:
			style = ", style=dashed"
		}
		fmt.Fprintf(&b, "  n%d [label=%s%s];\n", x.id, dotText(x.lines...), style)
	}
	for _, a := range g.arrows {
		fmt.Fprintf(&b, "  n%d -> n%d [label=%s];\n", a.from.id, a.to.id, dotText(a.label))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// dotText formats a quoted string of the DOT language.
func dotText(lines ...string) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(diag.Printable(l))
	}
	return `"` + strings.Join(out, `\n`) + `"`
}
