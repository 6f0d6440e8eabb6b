//go:build !js

package cli

import (
	"fmt"
	"html/template"
	"io"

	"github.com/planec/planec/internal/review/netpath"
)

// pageHead starts the small pages of trace and matrix: no scripts, no other files.
const pageHead = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root { color-scheme: light dark; --good: #12703d; --bad: #b3261e; --line: #8886; }
@media (prefers-color-scheme: dark) { :root { --good: #63d196; --bad: #ff8a80; } }
body { font: 14px/1.5 system-ui, sans-serif; margin: 1.5rem; }
table { border-collapse: collapse; } th, td { border: 1px solid var(--line); padding: .15rem .4rem; text-align: center; }
thead th { writing-mode: vertical-rl; text-align: left; } tbody th { text-align: left; font-weight: normal; }
.allowed, .dnat, .pass { color: var(--good); } .blocked, .drop, .reject { color: var(--bad); }
small { opacity: .75; } li { margin: .2rem 0; }
</style>`

var traceTemplate = template.Must(template.New("trace").Funcs(template.FuncMap{"where": originLine}).Parse(pageHead + `
<title>planec trace</title></head><body>
<h1 class="{{.Verdict}}">{{.Verdict}}{{if .Masquerade}}, masqueraded{{end}}</h1>
{{range .Hops}}<h2>{{if .Node}}{{.Node}}{{else}}whichever node the pod will be on{{end}}</h2>
<p><code>{{.Packet}}</code></p>
<ol>{{range .Result.Steps}}<li><b>{{.Stage}}</b> {{.Text}}{{with where .Origin}}<br><small>{{.}}</small>{{end}}</li>
{{end}}</ol>
{{end}}{{with .Endpoints}}<h2>Endpoints</h2><ul>{{range .}}<li><code>{{.}}</code></li>{{end}}</ul>{{end}}
{{with .Denied}}<h2>A policy keeps it from</h2><ul>{{range .}}<li><code>{{.}}</code></li>{{end}}</ul>{{end}}
</body></html>
`))

// writeTraceHTML writes a self-contained page, for example for a ticket.
func writeTraceHTML(w io.Writer, o netpath.Outcome) error {
	g := newGraph(o)
	return traceTemplate.Execute(w, struct {
		Verdict           string
		Masquerade        bool
		Hops              []netpath.Hop
		Endpoints, Denied []string
	}{o.Verdict.String(), o.Masquerade, o.Hops, g.endpoints, g.denied})
}

// htmlMatrix draws all pods, however many there are.
type htmlMatrix struct{ gridMatrix }

var matrixTemplate = template.Must(template.New("matrix").Parse(`<h2>{{.Summary}}</h2>
<table><thead><tr><th>from \ to</th>{{range .Pods}}<th>{{.}}</th>{{end}}</tr></thead>
<tbody>{{range .Rows}}<tr><th>{{.From}}</th>{{range .Cells}}<td class="{{.Word}}" title="{{.Title}}">{{.Mark}}</td>{{end}}</tr>
{{end}}</tbody></table>
`))

type matrixRow struct {
	From  string
	Cells []matrixCell
}

type matrixCell struct{ Word, Title, Mark string }

func (m *htmlMatrix) end() error {
	m.w.WriteString(pageHead + "\n<title>planec matrix</title></head><body>\n") // the writer keeps errors
	for _, port := range m.ports {
		if err := m.table(port, m.cells[port]); err != nil {
			return err
		}
	}
	if m.note != "" {
		fmt.Fprintf(m.w, "<p>note: %s</p>\n", template.HTMLEscapeString(m.note))
	}
	m.w.WriteString("</body></html>\n")
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
