//go:build !js

package diffwrite

import (
	_ "embed" // the page is one file
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir/diag"
)

//go:embed page.html
var pageText string

// section is the findings of one kind.
type section struct {
	Title string
	Kind  diffreport.Kind
	Items []string
}

// page writes one self-contained file: no script, no font, no request.
func page(w io.Writer, r *diffreport.Report) error {
	var sections []section
	for _, k := range diffreport.Kinds() {
		s := section{Title: titles()[k], Kind: k}
		for i := range r.Findings {
			if r.Findings[i].Kind == k {
				s.Items = append(s.Items, diag.Printable(r.Findings[i].Sentence()))
			}
		}
		if len(s.Items) > 0 {
			sections = append(sections, s)
		}
	}
	var objects []string
	for i := range r.Objects {
		objects = append(objects, diag.Printable(fmt.Sprintf("%s %s", r.Objects[i].Change, objectLine(&r.Objects[i]))))
	}
	named := *r
	named.Old, named.New = diag.Printable(r.Old), diag.Printable(r.New)
	t, err := template.New("page").Funcs(template.FuncMap{"lines": hunkLines, "nodes": nodes}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("the page's template: %w", err)
	}
	return t.Execute(w, map[string]any{"Report": &named, "Sections": sections, "Objects": objects, "Rules": r.RuleSummaries()})
}

// hunkLine is a line of a diff with the CSS class for its colour.
type hunkLine struct{ Class, Text string }

func hunkLines(h string) []hunkLine {
	var out []hunkLine
	for l := range strings.Lines(h) {
		l = diag.Printable(strings.ReplaceAll(strings.TrimSuffix(l, "\n"), "\t", "    "))
		class := "same"
		switch {
		case strings.HasPrefix(l, "+"):
			class = "add"
		case strings.HasPrefix(l, "-"):
			class = "del"
		}
		out = append(out, hunkLine{class, l})
	}
	return out
}
