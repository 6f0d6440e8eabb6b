package ciformat

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
)

// hostile is text that tries to end its place in every form.
const hostile = "a ::error::\r\nb%0A]]>\x1b[31m<&\"' [x](y) {0} \u202e"

func report() *Report {
	return &Report{
		Name:  "planec lint",
		Rules: []Rule{{ID: "PLC0001", Title: "broken", Help: "mend it", Level: Error}, {ID: "PLC0003", Title: "skipped"}},
		Findings: []Finding{
			{Rule: "PLC0003", Title: "PLC0003 skipped", Message: "skipped: 1 Kustomization"},
			{Rule: "PLC0001", Title: "PLC0001 broken", Level: Error, Message: "broken YAML", File: "a b#1.yaml", Line: 7, Object: "Service shop/web"},
			{Rule: "PLC0001", Title: "PLC0001 broken", Level: Error, Message: "broken YAML", File: "a b#1.yaml", Line: 9, Object: "Service shop/web"},
			{Rule: "PLC0009", Title: hostile, Level: Warning, Message: hostile, Text: "one\n" + hostile, File: hostile, Line: 3, Object: hostile},
		},
		Places: Places{Working: "/repo", Whole: "m/all.yaml"},
	}
}

// TestPlaces wants every name to be a path of the repository.
func TestPlaces(t *testing.T) {
	p := Places{Working: "/repo", Roots: []string{"/elsewhere/new"}, Whole: "m"}
	for file, want := range map[string]string{
		"": "m", "m/a.yaml": "m/a.yaml", "./m//a.yaml": "m/a.yaml", "/repo/m/a.yaml": "m/a.yaml",
		"/elsewhere/new/a b#1.yaml": "a b#1.yaml", "/other/x.yaml": "x.yaml", "../up.yaml": "../up.yaml", `m\a.yaml`: "m/a.yaml",
	} {
		if got := p.of(file); got != want {
			t.Errorf("%q: %q, want %q", file, got, want)
		}
	}
}

// TestSARIF wants every result to have a place with a file, also what no file says.
func TestSARIF(t *testing.T) {
	var b bytes.Buffer
	if err := SARIF(&b, report()); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	var uris []string
	for _, r := range log.Runs[0].Results {
		uris = append(uris, r.Locations[0].Physical.Artifact.URI)
	}
	if strings.Join(uris[:3], " ") != "m/all.yaml a%20b%231.yaml a%20b%231.yaml" {
		t.Errorf("%q", uris)
	}
	if r := log.Runs[0].Results; r[0].Locations[0].Physical.Region != nil || r[1].Locations[0].Physical.Region.StartLine != 7 || r[0].RuleIndex != 1 || r[3].RuleIndex != -1 || r[0].Level != "note" {
		t.Errorf("%+v", r)
	}
	if strings.ContainsAny(b.String(), "\x1b\u202e") {
		t.Errorf("%s", &b)
	}
}

// TestGitHub wants a command on each line, and no other one.
func TestGitHub(t *testing.T) {
	var b bytes.Buffer
	if err := GitHub(&b, report()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 4 || lines[0] != "::notice title=PLC0003 skipped::skipped: 1 Kustomization" ||
		lines[1] != "::error file=a b#1.yaml,line=7,title=PLC0001 broken::broken YAML" || !strings.Contains(lines[3], "::one%0Aa ::error::") {
		t.Errorf("%q", lines)
	}
	for _, l := range lines {
		if !strings.HasPrefix(l, "::") || strings.ContainsAny(l, "\r\x1b\u202e") {
			t.Errorf("%q", l)
		}
	}
}

// TestGitLab wants equal findings of one object to differ, and to be the same wherever
// their lines are.
func TestGitLab(t *testing.T) {
	prints := func(r *Report) (out []string) {
		var b bytes.Buffer
		if err := GitLab(&b, r); err != nil {
			t.Fatal(err)
		}
		var issues []codeIssue
		if err := json.Unmarshal(b.Bytes(), &issues); err != nil {
			t.Fatal(err)
		}
		for _, i := range issues {
			if i.Location.Path == "" || i.Location.Lines.Begin < 1 || strings.ContainsAny(i.Description, "\r\n\x1b") {
				t.Errorf("%+v", i)
			}
			out = append(out, i.Fingerprint)
		}
		return out
	}
	first := prints(report())
	moved := report()
	moved.Findings[1].Line, moved.Findings[2].Line = 70, 90
	if second := prints(moved); strings.Join(first, " ") != strings.Join(second, " ") || first[1] == first[2] {
		t.Errorf("%q, %q", first, second)
	}
}

// TestJUnit wants XML whose counts are right, whatever is in it.
func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	if err := JUnit(&b, []Suite{report().Cases()}); err != nil {
		t.Fatal(err)
	}
	var got junitSuites
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 4 || got.Failures != 3 || len(got.Suites) != 1 || got.Suites[0].Cases[0].Class != "planec lint" || got.Suites[0].Cases[0].Failure != nil {
		t.Errorf("%+v", got)
	}
	if f := got.Suites[0].Cases[3].Failure; f == nil || strings.ContainsAny(f.Text, "\x1b\r") {
		t.Errorf("%+v", f)
	}
}
