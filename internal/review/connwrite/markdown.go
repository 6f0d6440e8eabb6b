package connwrite

import (
	"fmt"
	"io"
	"strings"

	"github.com/planec/planec/internal/base/escape"
	"github.com/planec/planec/internal/review/connectivity"
)

// Markdown writes a table with a row for each line of the text, for example for a comment.
func Markdown(w io.Writer, m *connectivity.Map, o *Options) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### Who can reach whom\n\n%s\n", escape.Markdown(Summary(m)))
	head, rule := "| to | ports | from |", "|---|---|---|"
	if o.Explain {
		head, rule = head+" because |", rule+"---|"
	}
	fmt.Fprintf(&b, "\n%s\n%s\n", head, rule)
	for _, x := range blocks(m, o) {
		for _, l := range x.lines {
			fmt.Fprintf(&b, "| %s | %s | %s |", escape.Markdown(x.to), escape.Markdown(l.ports), escape.Markdown(strings.Join(l.from, ", ")))
			if o.Explain {
				fmt.Fprintf(&b, " %s |", strings.Join(cells(l.causes), "<br>"))
			}
			b.WriteString("\n")
		}
	}
	markdownList(&b, "Entry points", allEntryLines(m, o))
	for _, d := range o.Asked {
		var lines []string
		for i := range d.Causes {
			lines = append(lines, d.Causes[i].String()+onPart(d, i))
		}
		markdownList(&b, d.String(), lines)
	}
	if o.Exposures != nil {
		for _, s := range sections(o.Exposures) {
			markdownList(&b, s.title, s.lines)
		}
	}
	if notes := Notes(m, o); len(notes) > 0 {
		b.WriteString("\n")
		for _, n := range notes {
			fmt.Fprintf(&b, "- note: %s\n", escape.Markdown(n))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func allEntryLines(m *connectivity.Map, o *Options) []string {
	var out []string
	for _, e := range m.Entries {
		out = append(append(out, entryLines(e)...), entryCauses(m, e, o)...)
	}
	for _, n := range m.Nowhere {
		out = append(out, n.String())
	}
	return out
}

func markdownList(b *strings.Builder, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n**%s**\n\n", escape.Markdown(title))
	for _, l := range lines {
		fmt.Fprintf(b, "- %s\n", escape.Markdown(l))
	}
}

func cells(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = escape.Markdown(s)
	}
	return out
}
