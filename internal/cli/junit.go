package cli

import (
	"encoding/xml"
	"io"

	"github.com/planec/planec/ir/diag"
)

// The types below are the part of JUnit's XML that Jenkins and GitLab read, without
// attributes that the schema of Jenkins' xunit plugin lacks.
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
		Failure *junitFailure `xml:"failure,omitempty"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// junitFindings writes a test case for each finding, which fails where it counts. Cases
// are called by code and object, so that a CI system knows one again.
func junitFindings(w io.Writer, diags diag.List) error {
	suite := junitSuite{Name: "planec lint"}
	for _, d := range diags {
		suite.Tests++
		name := string(d.Code) + " " + d.Code.Info().Title
		if o := d.Origin.Object(); o != "" {
			name = string(d.Code) + " " + o
			if d.Origin.Path != "" {
				name += " " + d.Origin.Path
			}
		}
		c := junitCase{Name: diag.Printable(name), Class: diag.Printable(d.Origin.File)}
		if c.Class == "" {
			c.Class = "planec"
		}
		if d.Severity() == diag.Info {
			c.Out = d.String()
		} else {
			suite.Failures++
			c.Failure = &junitFailure{string(d.Code), diag.Printable(d.Message), d.String() + "\nhint: " + d.Hint()}
		}
		suite.Cases = append(suite.Cases, c)
	}
	text, err := xml.MarshalIndent(junitSuites{junitCounts: suite.junitCounts, Suites: []junitSuite{suite}}, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}
