package diffwrite

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/planec/planec/internal/base/escape"
	"github.com/planec/planec/internal/review/ciformat"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir/diag"
)

// writers maps format names to writers.
func writers(places ciformat.Places) map[string]func(io.Writer, *diffreport.Report) error {
	return map[string]func(io.Writer, *diffreport.Report) error{
		"text": text, "json": writeJSON, "md": markdown, "html": page,
		"github": func(w io.Writer, r *diffreport.Report) error { return ciformat.GitHub(w, forCI(r, places)) },
		"sarif": func(w io.Writer, r *diffreport.Report) error {
			found := forCI(r, places)
			found.Findings = found.Findings[:len(r.Findings)] // notes have no place
			return ciformat.SARIF(w, found)
		},
	}
}

// Formats returns the names of the formats.
func Formats() []string { return []string{"text", "json", "md", "github", "sarif", "html"} }

// Write writes a sorted report in one of the formats. Places are for the CI formats.
func Write(w io.Writer, format string, r *diffreport.Report, places ciformat.Places) error {
	write := writers(places)[format]
	if write == nil {
		return fmt.Errorf("-o %q: want one of %s", format, strings.Join(Formats(), ", "))
	}
	return write(w, r)
}

func writeJSON(w io.Writer, r *diffreport.Report) error {
	out := *r
	if out.Findings == nil {
		out.Findings = []diffreport.Finding{}
	}
	if out.Objects == nil {
		out.Objects = []diffreport.Object{}
	}
	if out.Rules == nil {
		out.Rules = []diffreport.Rules{}
	}
	return escape.JSON(w, out)
}

// most is the number of findings of a kind, and of objects, that are shown
// before the rest is folded or counted.
const most = 8

// text writes for terminals.
func text(w io.Writer, r *diffreport.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", r.Summary())
	for _, k := range diffreport.Kinds() {
		n := 0
		for i := range r.Findings {
			f := &r.Findings[i]
			if f.Kind != k {
				continue
			}
			if n++; n == 1 {
				fmt.Fprintf(&b, "\n%s:\n", k)
			}
			if n <= most {
				fmt.Fprintf(&b, "  %s\n", diag.Printable(f.Sentence()))
			}
		}
		if n > most {
			fmt.Fprintf(&b, "  and %d more; -o json has them all\n", n-most)
		}
	}
	textObjects(&b, r.Objects, r.ObjectSummary())
	for i, s := range r.RuleSummaries() {
		if i == 0 {
			b.WriteString("\nrules:\n")
		}
		fmt.Fprintf(&b, "  %s\n", diag.Printable(s))
	}
	textRules(&b, r.Rules)
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\nnote: %s\n", diag.Printable(n))
	}
	lines := strings.Split(b.String(), "\n")
	for i, l := range lines {
		lines[i] = diag.Printable(strings.ReplaceAll(l, "\t", "    "))
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n"))
	return err
}

// textRules writes hunks up to a readable length.
func textRules(b *strings.Builder, list []diffreport.Rules) {
	lines := 0
	for _, x := range list {
		for i, h := range x.Hunks {
			if i == 0 {
				fmt.Fprintf(b, "\n%s\n", diag.Printable(fmt.Sprintf("%s %s on %s", x.Backend, x.File, nodes(x.Nodes))))
			} else {
				b.WriteString("  ...\n")
			}
			for l := range strings.Lines(h) {
				if lines++; lines > maxRuleLines {
					b.WriteString("  and more; -o json has all of it\n")
					return
				}
				b.WriteString("  " + l)
			}
		}
	}
}

func textObjects(b *strings.Builder, list []diffreport.Object, summary string) {
	if len(list) > 0 {
		fmt.Fprintf(b, "\nobjects (%s):\n", summary)
	}
	for i := range list {
		if i == most && len(list) > most+1 {
			fmt.Fprintf(b, "  and %d more; -o json has them all\n", len(list)-most)
			return
		}
		fmt.Fprintf(b, "  %-7s  %s\n", list[i].Change, diag.Printable(objectLine(&list[i])))
	}
}

// objectLine formats one object with the fields that differ.
func objectLine(o *diffreport.Object) string {
	const mostFields = 3
	line := o.Origin.Object()
	if pos := o.Origin.Position(); pos != "" {
		line += " (" + pos + ")"
	}
	var fields []string
	for i, f := range o.Fields {
		if i == mostFields && len(o.Fields) > mostFields+1 {
			fields = append(fields, fmt.Sprintf("%d more fields", len(o.Fields)-mostFields))
			break
		}
		fields = append(fields, fieldText(&f))
	}
	if len(fields) > 0 {
		line += ": " + strings.Join(fields, "; ")
	}
	return line
}

func fieldText(f *diffreport.Field) string {
	switch {
	case f.Old == "":
		return fmt.Sprintf("%s is new: %s", f.Path, f.New)
	case f.New == "":
		return fmt.Sprintf("%s is gone: %s", f.Path, f.Old)
	}
	return fmt.Sprintf("%s: %s -> %s", f.Path, f.Old, f.New)
}

func nodes(names []string) string {
	const most = 3
	names = slices.Clone(names)
	for i := range names {
		if names[i] == "" {
			names[i] = "pods without a node"
		}
	}
	if len(names) > most+1 {
		return fmt.Sprintf("%s and %d more nodes", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
