package nettest

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/planec/planec/internal/review/ciformat"
	"github.com/planec/planec/ir/diag"
)

// FileResult holds the results of one file, in its order.
type FileResult struct {
	Path    string   // as it was given
	Results []Result // one for each case
	// Notes say what the cases cannot show, even if they pass.
	Notes []string
}

// Formats returns the formats of Write.
func Formats() []string { return []string{"text", "junit", "json", "github"} }

// Write writes results in one of the formats. Places are for the CI formats.
func Write(w io.Writer, format string, files []FileResult, places ciformat.Places) error {
	switch format {
	case "text":
		return writeText(w, files)
	case "junit":
		return writeJUnit(w, files)
	case "json":
		return writeJSON(w, files)
	case "github":
		return writeGitHub(w, files, places)
	}
	return fmt.Errorf("-o %q: want one of %s", format, strings.Join(Formats(), ", "))
}

// Count returns the number of passed and failed cases.
func Count(files []FileResult) (passed, failed int) {
	for _, f := range files {
		for i := range f.Results {
			if len(f.Results[i].Failures) == 0 {
				passed++
			} else {
				failed++
			}
		}
	}
	return passed, failed
}

// shownFailures is the number of failed connections that are shown of one case.
const shownFailures = 3

func writeText(w io.Writer, files []FileResult) error {
	var lines []string
	for _, f := range files {
		for i := range f.Results {
			r := &f.Results[i]
			if len(r.Failures) == 0 {
				lines = append(lines, "ok    "+r.Case.Name)
				continue
			}
			lines = append(lines, fmt.Sprintf("FAIL  %s (%s:%d)", r.Case.Name, f.Path, r.Case.Line))
			for j, x := range r.Failures {
				if j == shownFailures {
					lines = append(lines, fmt.Sprintf("      and %d more connections", len(r.Failures)-j))
					break
				}
				lines = append(lines, "      "+x.Text)
				for _, d := range x.Decided {
					lines = append(lines, "        "+d)
				}
			}
		}
	}
	passed, failed := Count(files)
	lines = append(lines, fmt.Sprintf("%d passed, %d failed", passed, failed))
	for _, f := range files {
		for _, n := range f.Notes {
			lines = append(lines, fmt.Sprintf("note: %s: %s", f.Path, n))
		}
	}
	for i := range lines {
		lines[i] = diag.Printable(lines[i])
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// explain formats a failure as a text of several lines.
func (r *Result) explain() string {
	var b strings.Builder
	for i, x := range r.Failures {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(diag.Printable(x.Text))
		for _, d := range x.Decided {
			b.WriteString("\n  " + diag.Printable(d))
		}
	}
	return b.String()
}

// writeJUnit writes a suite for each file.
func writeJUnit(w io.Writer, files []FileResult) error {
	var suites []ciformat.Suite
	for _, f := range files {
		s := ciformat.Suite{Name: f.Path}
		for i := range f.Results {
			r := &f.Results[i]
			c := ciformat.Case{Name: r.Case.Name, Class: f.Path, File: f.Path, Line: r.Case.Line}
			if len(r.Failures) > 0 {
				c.Failure = &ciformat.Failure{Type: "connection", Message: r.Failures[0].Text, Text: r.explain()}
			}
			s.Cases = append(s.Cases, c)
		}
		suites = append(suites, s)
	}
	return ciformat.JUnit(w, suites)
}

type jsonCase struct {
	File        string    `json:"file"`
	Line        int       `json:"line"`
	Name        string    `json:"name"`
	Passed      bool      `json:"passed"`
	Connections int       `json:"connections"`
	Failures    []Failure `json:"failures,omitempty"`
}

func writeJSON(w io.Writer, files []FileResult) error {
	passed, failed := Count(files)
	cases := []jsonCase{}
	for _, f := range files {
		for i := range f.Results {
			r := &f.Results[i]
			cases = append(cases, jsonCase{f.Path, r.Case.Line, r.Case.Name, len(r.Failures) == 0, r.Connections, r.Failures})
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string]any{"passed": passed, "failed": failed, "cases": cases})
}

// writeGitHub writes an error for each failed case.
func writeGitHub(w io.Writer, files []FileResult, places ciformat.Places) error {
	report := ciformat.Report{Places: places}
	for _, f := range files {
		for i := range f.Results {
			if r := &f.Results[i]; len(r.Failures) > 0 {
				report.Findings = append(report.Findings, ciformat.Finding{
					Title: r.Case.Name, Level: ciformat.Error, Message: r.Failures[0].Text, Text: r.explain(), File: f.Path, Line: r.Case.Line,
				})
			}
		}
	}
	return ciformat.GitHub(w, &report)
}
