//go:build !js

package cli

import (
	"fmt"
	"html/template"
	"io"

	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/internal/review/smallpage"
)

var traceTemplate = template.Must(template.New("trace").Funcs(template.FuncMap{"where": originLine}).Parse(smallpage.Head + `
<title>planec trace</title></head><body><main>
<h1>{{.Question}}</h1>
<p class="{{.Verdict}}"><b>{{.Answer}}</b></p>
<div class="scroll" role="region" aria-label="Path" tabindex="0">{{.Path}}</div>
<p>{{.Verdict}}{{if .Masquerade}}, masqueraded{{end}}</p>
{{range $hop := .Hops}}<h2>{{if .Node}}{{.Node}}{{else}}whichever node the pod will be on{{end}}</h2>
<p><code>{{$.Of.Packet .}}</code></p>
<ol>{{range .Result.Steps}}<li><b>{{.Stage}}</b> {{$.Of.Step $hop .}}{{with where .Origin}}<br><small>{{.}}</small>{{end}}</li>
{{end}}</ol>
{{end}}{{with .Endpoints}}<h2>Endpoints</h2><ul>{{range .}}<li><code>{{.}}</code></li>{{end}}</ul>{{end}}
{{with .Denied}}<h2>A policy keeps it from</h2><ul>{{range .}}<li><code>{{.}}</code></li>{{end}}</ul>{{end}}
</main></body></html>
`))

// writeTraceHTML writes a self-contained page, for example for a ticket.
func writeTraceHTML(w io.Writer, o netpath.Outcome) error {
	g := newGraph(o)
	return traceTemplate.Execute(w, struct {
		Question, Answer  string
		Path              template.HTML
		Verdict           string
		Masquerade        bool
		Of                *netpath.Outcome
		Hops              []netpath.Hop
		Endpoints, Denied []string
	}{o.Question(), answer(o), template.HTML(smallpage.Chain(o.Question(), tracePath(o))), o.Verdict.String(), o.Masquerade, &o, o.Hops, g.endpoints, g.denied})
}

// htmlMatrix draws all pods, however many there are.
type htmlMatrix struct{ gridMatrix }

var matrixTemplate = template.Must(template.New("matrix").Parse(`<h2>{{.Summary}}</h2>
<p>Rows are sources, columns destinations: <span class="allowed">✓ allowed</span>, <span class="blocked">✗ blocked</span>, – the pod itself.</p>
<table><thead><tr><th scope="col">from \ to</th>{{range .Pods}}<th scope="col">{{.}}</th>{{end}}</tr></thead>
<tbody>{{range .Rows}}<tr><th scope="row">{{.From}}</th>{{range .Cells}}<td class="{{.Word}}" title="{{.Title}}">{{.Mark}}</td>{{end}}</tr>
{{end}}</tbody></table>
`))

type matrixRow struct {
	From  string
	Cells []matrixCell
}

type matrixCell struct{ Word, Title, Mark string }

func (m *htmlMatrix) end() error {
	m.w.WriteString(smallpage.Head + "\n<title>planec matrix</title></head><body><main>\n<h1>Which pods can reach which</h1>\n") // the writer keeps errors
	for _, port := range m.ports {
		if err := m.table(port, m.cells[port]); err != nil {
			return err
		}
	}
	if m.note != "" {
		fmt.Fprintf(m.w, "<p>note: %s</p>\n", template.HTMLEscapeString(m.note))
	}
	m.w.WriteString("</main></body></html>\n")
	return m.w.Flush()
}

func (m *htmlMatrix) table(port netpath.Port, cells []bool) error {
	var names []string
	for i := range m.list {
		names = append(names, m.list[i].String())
	}
	rows := make([]matrixRow, 0, len(names))
	for from := range names {
		row := matrixRow{From: names[from]}
		for to := range names {
			c := matrixCell{Mark: "–", Title: "the pod itself"}
			if allowed, ok := m.cell(cells, from, to); ok {
				c = matrixCell{Word: allowedWord(allowed), Title: fmt.Sprintf("%s to %s: %s", names[from], names[to], allowedWord(allowed)), Mark: map[bool]string{true: "✓", false: "✗"}[allowed]}
			}
			row.Cells = append(row.Cells, c)
		}
		rows = append(rows, row)
	}
	return matrixTemplate.Execute(m.w, struct {
		Summary string
		Pods    []string
		Rows    []matrixRow
	}{m.summary(port, cells), names, rows})
}
