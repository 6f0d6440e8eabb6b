package nettest

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/planec/planec/ir/diag"
)

// FileResult is the results of one file, in its order.
type FileResult struct {
	Path    string
	Results []Result
	// Notes say what the cases cannot show, whether they pass or not.
	Notes []string
}

// Formats are the names of the forms that Write knows.
func Formats() []string { return []string{"text", "junit", "json", "github"} }

// Write writes results in one of the forms.
func Write(w io.Writer, format string, files []FileResult) error {
	switch format {
	case "text":
		return writeText(w, files)
	case "junit":
		return writeJUnit(w, files)
	case "json":
		return writeJSON(w, files)
	case "github":
		return writeGitHub(w, files)
	}
	return fmt.Errorf("-o %q: want one of %s", format, strings.Join(Formats(), ", "))
}

// Count returns how many cases passed and failed.
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

// shownFailures is how many connections of one case a person is shown.
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

// explain is a failure in one text of several lines.
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

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func writeJUnit(w io.Writer, files []FileResult) error {
	var out junitSuites
	for _, f := range files {
		s := junitSuite{Name: f.Path, Tests: len(f.Results)}
		for i := range f.Results {
			r := &f.Results[i]
			c := junitCase{Name: diag.Printable(r.Case.Name), Class: f.Path, File: f.Path, Line: r.Case.Line}
			if len(r.Failures) > 0 {
				s.Failures++
				c.Failure = &junitFailure{diag.Printable(r.Failures[0].Text), r.explain()}
			}
			s.Cases = append(s.Cases, c)
		}
		out.Tests, out.Failures = out.Tests+s.Tests, out.Failures+s.Failures
		out.Suites = append(out.Suites, s)
	}
	data, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	_, err = io.WriteString(w, xml.Header+string(data)+"\n")
	return err
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

// writeGitHub are workflow commands, with the escapes of the runner's toolkit
// (actions/toolkit, packages/core/src/command.ts).
func writeGitHub(w io.Writer, files []FileResult) error {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	var b strings.Builder
	for _, f := range files {
		for i := range f.Results {
			if r := &f.Results[i]; len(r.Failures) > 0 {
				fmt.Fprintf(&b, "::error file=%s,line=%d,title=%s::%s\n", property.Replace(f.Path), r.Case.Line, property.Replace(r.Case.Name), data.Replace(r.explain()))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
