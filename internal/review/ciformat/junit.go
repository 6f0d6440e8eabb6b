package ciformat

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/planec/planec/ir/diag"
)

// Suite is the test cases of one file, or of one run.
type Suite struct {
	Name  string // the name of the file or of the run
	Cases []Case // in the order in which they are written
}

// Case is one test case, or one finding.
type Case struct {
	// Name identifies the case in the CI system across runs.
	Name string
	// Class is the group of the case, usually a file.
	Class string
	// File and Line are the place of the test, to which GitLab links. The Jenkins schema
	// lacks them, so only test cases have them; otherwise they are "" and 0.
	File string
	Line int // the line in File, from 1
	// Failure is the reason of a failed case; nil means passed.
	Failure *Failure
	// Out is the output of a case that passed.
	Out string
}

// Failure describes why a case failed.
type Failure struct {
	// Type is its kind, such as "PLC0711"; Message is one line, Text the whole message.
	Type, Message, Text string
}

// The types below are the part of JUnit XML that Jenkins and GitLab read, without
// attributes that the schema of the Jenkins xunit plugin lacks.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitCounts
		Cases []junitCase `xml:"testcase"`
	}
	junitCounts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitFailure `xml:"failure,omitempty"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes test results.
func JUnit(w io.Writer, suites []Suite) error {
	var out junitSuites
	for _, s := range suites {
		suite := junitSuite{Name: diag.Printable(s.Name)}
		for _, c := range s.Cases {
			suite.Tests++
			j := junitCase{Name: diag.Printable(c.Name), Class: diag.Printable(c.Class), File: diag.Printable(c.File), Line: c.Line, Out: lines(c.Out)}
			if f := c.Failure; f != nil {
				suite.Failures++
				j.Failure = &junitFailure{diag.Printable(f.Type), diag.Printable(f.Message), lines(f.Text)}
			}
			suite.Cases = append(suite.Cases, j)
		}
		out.Tests, out.Failures = out.Tests+suite.Tests, out.Failures+suite.Failures
		out.Suites = append(out.Suites, suite)
	}
	text, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}

// lines makes every line of a text printable.
func lines(text string) string {
	list := strings.Split(text, "\n")
	for i := range list {
		list[i] = diag.Printable(list[i])
	}
	return strings.Join(list, "\n")
}

// Cases returns findings as cases; notes do not fail. A case has the name of its rule
// and object, so that a CI system recognises it across runs.
func (r *Report) Cases() Suite {
	s := Suite{Name: r.Name}
	for i := range r.Findings {
		f := &r.Findings[i]
		c := Case{Name: f.Title, Class: r.Name}
		if f.Object != "" {
			c.Name = strings.TrimSpace(f.Rule + " " + f.Object + " " + f.Field)
		}
		text := f.text()
		if f.File != "" {
			c.Class = r.Places.of(f.File)
			text = fmt.Sprintf("%s:%d: %s", c.Class, f.Line, text)
		}
		if f.Help != "" && f.Level > Note {
			text += "\n" + f.Help
		}
		if f.Level == Note {
			c.Out = text
		} else {
			c.Failure = &Failure{f.Rule, f.Message, text}
		}
		s.Cases = append(s.Cases, c)
	}
	return s
}
