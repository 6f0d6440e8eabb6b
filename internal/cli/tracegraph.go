package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
)

// graph is a trace as boxes and arrows: one box for each step, grouped by node,
// and finally the verdict and the endpoints.
type graph struct {
	groups    []graphGroup
	boxes     int
	verdict   string
	endpoints []string
	denied    []string
}

type graphGroup struct {
	title string
	steps []graphStep
}

type graphStep struct {
	id    int
	text  string
	where string
}

func newGraph(o netpath.Outcome) graph {
	var g graph
	for _, h := range o.Hops {
		node := h.Node
		if node == "" {
			node = "whichever node the pod will be on"
		}
		group := graphGroup{title: fmt.Sprintf("%s: %s", node, o.Packet(h))}
		for _, s := range h.Result.Steps {
			group.steps = append(group.steps, graphStep{id: g.boxes, text: s.Stage + ": " + o.Step(h, s), where: originLine(s.Origin)})
			g.boxes++
		}
		g.groups = append(g.groups, group)
	}
	g.verdict = o.Verdict.String()
	if o.Masquerade {
		g.verdict += ", masqueraded"
	}
	if o.Verdict == eval.DNAT {
		g.endpoints = addressList(o.Endpoints)
	}
	g.denied = addressList(o.Denied)
	return g
}

// writeTraceMermaid writes a flowchart for Mermaid, which GitHub's Markdown also
// draws.
func writeTraceMermaid(w io.Writer, o netpath.Outcome) error {
	g := newGraph(o)
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	mermaidPath(&b, o)
	for i, group := range g.groups {
		fmt.Fprintf(&b, "  subgraph g%d[\"%s\"]\n", i, mermaidText(group.title))
		for _, s := range group.steps {
			fmt.Fprintf(&b, "    s%d[\"%s\"]\n", s.id, mermaidText(s.text+lineOf("\n", s.where)))
		}
		b.WriteString("  end\n")
	}
	for i := 1; i < g.boxes; i++ {
		fmt.Fprintf(&b, "  s%d --> s%d\n", i-1, i)
	}
	fmt.Fprintf(&b, "  v{{\"%s\"}}\n", mermaidText(g.verdict))
	if g.boxes > 0 {
		fmt.Fprintf(&b, "  s%d --> v\n", g.boxes-1)
	}
	for i, e := range g.endpoints {
		fmt.Fprintf(&b, "  v --> e%d([\"%s\"])\n", i, mermaidText(e))
	}
	for i, e := range g.denied {
		fmt.Fprintf(&b, "  v -. denied .-x d%d([\"%s\"])\n", i, mermaidText(e))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mermaidPath draws the path from pod to pod above the steps.
func mermaidPath(b *strings.Builder, o netpath.Outcome) {
	fmt.Fprintf(b, "  subgraph path[\"%s\"]\n    direction LR\n", mermaidText(answer(o)))
	columns := tracePath(o)
	for i, c := range columns {
		for j, box := range c {
			fmt.Fprintf(b, "    p%d_%d([\"%s\"])\n", i, j, mermaidText(box.Text))
		}
	}
	for i := 1; i < len(columns); i++ {
		for k := range columns[i-1] {
			for j, box := range columns[i] {
				arrow := "-->"
				if box.Bad {
					arrow = "-.-x"
				}
				fmt.Fprintf(b, "    p%d_%d %s p%d_%d\n", i-1, k, arrow, i, j)
			}
		}
	}
	b.WriteString("  end\n")
	if slices.ContainsFunc(o.Hops, func(h netpath.Hop) bool { return len(h.Result.Steps) > 0 }) {
		b.WriteString("  path --> s0\n")
	}
}

// mermaidText escapes quotes and markup as entities, as Mermaid requires.
func mermaidText(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.NewReplacer("&", "#amp;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "#", "#35;", "`", "#96;").Replace(diag.Printable(l))
	}
	return strings.Join(lines, "<br>")
}

// writeTraceDot writes a graph for Graphviz.
func writeTraceDot(w io.Writer, o netpath.Outcome) error {
	g := newGraph(o)
	var b strings.Builder
	b.WriteString("digraph trace {\n  node [shape=box, fontname=\"sans-serif\"];\n")
	for i, group := range g.groups {
		fmt.Fprintf(&b, "  subgraph cluster_%d {\n    label=%s;\n", i, dotText(group.title))
		for _, s := range group.steps {
			fmt.Fprintf(&b, "    s%d [label=%s];\n", s.id, dotText(s.text+lineOf("\n", s.where)))
		}
		b.WriteString("  }\n")
	}
	for i := 1; i < g.boxes; i++ {
		fmt.Fprintf(&b, "  s%d -> s%d;\n", i-1, i)
	}
	fmt.Fprintf(&b, "  v [shape=diamond, label=%s];\n", dotText(g.verdict))
	if g.boxes > 0 {
		fmt.Fprintf(&b, "  s%d -> v;\n", g.boxes-1)
	}
	for i, e := range g.endpoints {
		fmt.Fprintf(&b, "  e%d [shape=oval, label=%s];\n  v -> e%d;\n", i, dotText(e), i)
	}
	for i, e := range g.denied {
		fmt.Fprintf(&b, "  d%d [shape=oval, label=%s];\n  v -> d%d [style=dashed, label=\"denied\"];\n", i, dotText(e), i)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// dotText formats a quoted string of the DOT language.
func dotText(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(diag.Printable(l))
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}

func lineOf(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}
