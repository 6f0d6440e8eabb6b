package cli_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// junitSchema is what the schema of Jenkins' xunit plugin (junit-10.xsd) lets each
// element that planec writes have: attributes, and elements in it.
var junitSchema = map[string]struct{ attributes, elements []string }{
	"":           {nil, []string{"testsuites"}},
	"testsuites": {[]string{"name", "time", "tests", "failures", "errors"}, []string{"testsuite"}},
	"testsuite":  {[]string{"name", "tests", "failures", "errors", "time", "skipped", "timestamp", "hostname", "id", "package"}, []string{"testcase"}},
	"testcase":   {[]string{"name", "time", "classname"}, []string{"failure", "system-out"}},
	"failure":    {[]string{"type", "message"}, nil},
	"system-out": {nil, nil},
}

// TestJUnitSchema wants every case of lint in a form that Jenkins takes, with a test
// case for each finding.
func TestJUnitSchema(t *testing.T) {
	for _, input := range lintInputs(t) {
		text := planec(t, 1, "lint", "--synth", "-f", input, "-o", "junit")
		var above []string
		cases := 0
		for dec := xml.NewDecoder(strings.NewReader(text)); ; {
			token, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", input, err)
			}
			switch e := token.(type) {
			case xml.StartElement:
				parent := ""
				if len(above) > 0 {
					parent = above[len(above)-1]
				}
				if !slices.Contains(junitSchema[parent].elements, e.Name.Local) {
					t.Errorf("%s: %s in %q", input, e.Name.Local, parent)
				}
				for _, a := range e.Attr {
					if !slices.Contains(junitSchema[e.Name.Local].attributes, a.Name.Local) {
						t.Errorf("%s: %s has an attribute %s", input, e.Name.Local, a.Name.Local)
					}
				}
				above = append(above, e.Name.Local)
				if e.Name.Local == "testcase" {
					cases++
				}
			case xml.EndElement:
				above = above[:len(above)-1]
			}
		}
		if want := len(lintJSON[struct{ Code string }](t, input, "json")); cases != want {
			t.Errorf("%s: %d test cases for %d findings", input, cases, want)
		}
	}
}

// TestCodeQuality wants every case in the form that GitLab takes: fingerprints that are
// unique and do not move with lines, one of its severities, a path and a line.
func TestCodeQuality(t *testing.T) {
	type issue struct {
		Description, Fingerprint, Severity string
		CheckName                          string `json:"check_name"`
		Location                           struct {
			Path  string
			Lines struct{ Begin int }
		}
	}
	for _, input := range lintInputs(t) {
		issues := lintJSON[issue](t, input, "gitlab")
		seen := make(map[string]bool)
		for _, i := range issues {
			if i.Description == "" || i.CheckName == "" || i.Fingerprint == "" || seen[i.Fingerprint] || i.Location.Path == "" || i.Location.Lines.Begin < 1 ||
				!slices.Contains([]string{"info", "minor", "major", "critical", "blocker"}, i.Severity) {
				t.Errorf("%s: %+v", input, i)
			}
			seen[i.Fingerprint] = true
		}
		if want := len(lintJSON[struct{ Code string }](t, input, "json")); len(issues) != want {
			t.Errorf("%s: %d issues for %d findings", input, len(issues), want)
		}
	}
}

func lintInputs(t *testing.T) []string {
	t.Helper()
	inputs, err := filepath.Glob("testdata/lint/*/input.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	return inputs
}

func lintJSON[T any](t *testing.T, input, format string) (out []T) {
	t.Helper()
	if err := json.Unmarshal([]byte(planec(t, 1, "lint", "--synth", "-f", input, "-o", format)), &out); err != nil {
		t.Fatalf("%s: %v", input, err)
	}
	return out
}
