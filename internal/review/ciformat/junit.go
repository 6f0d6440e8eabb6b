//go:build !js

package ciformat

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/planec/planec/ir/diag"
)

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
