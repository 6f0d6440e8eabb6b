package diffwrite

import (
	"fmt"
	"io"
	"strings"

	"github.com/planec/planec/internal/base/escape"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir/diag"
)

// maxComment bounds a comment: GitHub rejects more than 65,536 characters.
// maxRuleLines bounds the lines of rules in it.
const (
	maxComment   = 60_000
	maxRuleLines = 200
)

// shown is the number of findings outside of folded sections.
const shown = 10

// titles are the headings of kinds.
func titles() map[diffreport.Kind]string {
	return map[diffreport.Kind]string{
		diffreport.Opened: "Opened", diffreport.Closed: "Closed", diffreport.Source: "Source addresses",
		diffreport.Refusal: "Refusals", diffreport.Endpoints: "Endpoints", diffreport.Addresses: "Addresses of pools", diffreport.Affinity: "Session affinity",
		diffreport.Added: "New", diffreport.Removed: "Gone",
	}
}

// markdown writes a comment for a pull request: the most important findings
// first, and the rest folded.
func markdown(w io.Writer, r *diffreport.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### Network: %s\n", escape.Markdown(r.Summary()))
	left := shown
	for _, k := range diffreport.Kinds() {
		var list []string
		for i := range r.Findings {
			if r.Findings[i].Kind == k {
				list = append(list, "- "+escape.Markdown(r.Findings[i].Sentence())+"\n")
			}
		}
		if len(list) == 0 {
			continue
		}
		open := min(len(list), max(left, 0))
		if len(list)-open == 1 {
			open++ // a folded section is no shorter than a line
		}
		left -= open
		if open > 0 {
			fmt.Fprintf(&b, "\n**%s**\n\n%s", titles()[k], strings.Join(list[:open], ""))
		}
		if rest := list[open:]; len(rest) > 0 {
			what := fmt.Sprintf("%d more", len(rest))
			if open == 0 {
				what = fmt.Sprintf("%s: %d", titles()[k], len(rest))
			}
			fold(&b, what, strings.Join(rest[:min(len(rest), 100)], ""))
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\n%s.\n", escape.Markdown(n))
	}
	if len(r.Objects) > 0 {
		fold(&b, "Objects: "+r.ObjectSummary(), markdownObjects(r.Objects))
	}
	if len(r.Rules) > 0 {
		fold(&b, "Rules: "+strings.Join(r.RuleSummaries(), "; "), markdownRules(r.Rules))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func fold(b *strings.Builder, summary, content string) {
	if b.Len()+len(content) > maxComment {
		content = "There is too much of it to be shown here; -o json has it all.\n"
	}
	fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n%s\n</details>\n", escape.Markdown(summary), content)
}

func markdownObjects(list []diffreport.Object) string {
	const most = 100
	var b strings.Builder
	for i := range list {
		if i == most {
			fmt.Fprintf(&b, "- and %d more\n", len(list)-most)
			break
		}
		fmt.Fprintf(&b, "- %s %s\n", list[i].Change, escape.Markdown(objectLine(&list[i])))
	}
	return b.String()
}

func markdownRules(list []diffreport.Rules) string {
	var b strings.Builder
	lines := 0
	for i := range list {
		x := &list[i]
		fmt.Fprintf(&b, "%s %s on %s: +%d -%d lines\n", escape.Markdown(x.Backend), escape.Markdown(x.File), escape.Markdown(nodes(x.Nodes)), x.Added, x.Removed)
		if len(x.Hunks) == 0 {
			continue
		}
		b.WriteString("\n")
		for j, h := range x.Hunks {
			if j > 0 {
				h = " ...\n" + h
			}
			for l := range strings.Lines(h) {
				if lines++; lines > maxRuleLines {
					b.WriteString("\nThe rest is left out.\n")
					return b.String()
				}
				// Indented by four, it is a code block that no text in it can end.
				b.WriteString("    " + diag.Printable(strings.ReplaceAll(strings.TrimSuffix(l, "\n"), "\t", "  ")) + "\n")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
