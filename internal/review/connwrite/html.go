//go:build !js

package connwrite

import (
	"html/template"
	"io"
	"strings"

	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/internal/review/smallpage"
)

var page = template.Must(template.New("matrix").Parse(smallpage.Head + `
<title>planec matrix</title></head><body><main>
<h1>Who can reach whom</h1>
<p>{{.Summary}}</p>
<div class="scroll" role="region" aria-label="Drawing" tabindex="0">{{.Drawing}}</div>
<p><small>Workloads with the same arrows share a box. No policy limits who reaches a dashed box.</small></p>
<table class="list"><thead><tr><th scope="col">to</th><th scope="col">ports</th><th scope="col">from</th>{{if .Explain}}<th scope="col">because</th>{{end}}</tr></thead>
<tbody>{{range .Rows}}<tr><th scope="row">{{.To}}{{with .Why}}<br><small>{{.}}</small>{{end}}</th><td>{{.Ports}}</td><td>{{range $i, $n := .From}}{{if $i}}, {{end}}{{$n}}{{end}}</td>{{if $.Explain}}<td>{{range .Causes}}<div>{{.}}</div>{{end}}</td>{{end}}</tr>
{{end}}</tbody></table>
{{range .Lists}}<h2>{{.Title}}</h2><ul>{{range .Lines}}<li>{{.}}</li>{{end}}</ul>
{{end}}{{with .Notes}}<h2>Notes</h2><ul>{{range .}}<li>{{.}}</li>{{end}}</ul>{{end}}
</main></body></html>
`))

type pageRow struct {
	To, Why, Ports string
	From, Causes   []string
}

type pageList struct {
	Title string
	Lines []string
}

// HTML writes a page that loads nothing: the drawing, and all that the text has.
func HTML(w io.Writer, m *connectivity.Map, o *Options) error {
	var rows []pageRow
	for _, b := range blocks(m, o) {
		for _, l := range b.lines {
			rows = append(rows, pageRow{b.to, b.why, l.ports, l.from, l.causes})
		}
	}
	var lists []pageList
	if entries := allEntryLines(m, o); len(entries) > 0 {
		lists = append(lists, pageList{"Entry points", entries})
	}
	for _, d := range o.Asked {
		x := pageList{Title: d.String()}
		for i := range d.Causes {
			x.Lines = append(x.Lines, d.Causes[i].String()+onPart(d, i))
		}
		lists = append(lists, x)
	}
	if o.Exposures != nil {
		for _, s := range sections(o.Exposures) {
			lists = append(lists, pageList{s.title, s.lines})
		}
	}
	var b strings.Builder
	err := page.Execute(&b, struct {
		Summary string
		Drawing template.HTML
		Explain bool
		Rows    []pageRow
		Lists   []pageList
		Notes   []string
	}{Summary(m), template.HTML(drawing(m)), o.Explain, rows, lists, Notes(m, o)})
	if err != nil {
		return err
	}
	return write(w, b.String())
}
