package diag_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

var update = flag.Bool("update", false, "rewrite docs/diagnostics.md")

const document = "../../docs/diagnostics.md"

// TestDocument keeps docs/diagnostics.md equal to the table of codes.
func TestDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Diagnostics\n\nMade from `ir/diag/code.go` by its test (`make golden`). An error means that something was left out, a warning that\n" +
		"something probably is not meant, an info that something was decided. `--strict` makes errors a failure, `--fail-on-warn`\nwarnings too.\n\n" +
		"| code | severity | what was found | what to do |\n|---|---|---|---|\n")
	for _, c := range diag.Codes() {
		fmt.Fprintf(&b, "| %s | %v | %s | %s |\n", c.Code, c.Severity, c.Title, c.Hint)
	}
	b.WriteString("\n## What they mean\n\n`planec explain CODE` prints the same.\n")
	for _, c := range diag.Codes() {
		e := c.Code.Explain()
		fmt.Fprintf(&b, "\n### %s: %s\n\n%s\n\n    %s\n", c.Code, c.Title, e.Why, strings.ReplaceAll(e.Example, "\n", "\n    "))
	}
	if *update {
		if err := os.WriteFile(document, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Error("docs/diagnostics.md is stale: run make golden")
	}
}

func TestCodesAreInOrderAndOnce(t *testing.T) {
	var codes []diag.Code
	for _, c := range diag.Codes() {
		codes = append(codes, c.Code)
		if c.Title == "" || c.Hint == "" || c.Severity == 0 {
			t.Errorf("%s: incomplete", c.Code)
		}
		if e := c.Code.Explain(); e.Why == "" || e.Example == "" {
			t.Errorf("%s has no explanation, or no example: they stand in the explain files beside code.go", c.Code)
		}
	}
	if !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != len(codes) {
		t.Errorf("codes are not in order, or one is used twice: %v", codes)
	}
}

func TestStringIsOneHarmlessLine(t *testing.T) {
	d := diag.Diagnostic{
		Code:    diag.BadEndpoint,
		Origin:  ir.Origin{Kind: "Service", Namespace: "a\nb", Name: "\x1b[31mred", Path: "spec", File: "f\r.yaml", Line: 3},
		Message: "bad \xff\u2028 thing",
	}
	want := "f\uFFFD.yaml:3: error PLC0201: Service a\uFFFDb/\uFFFD[31mred spec: bad \uFFFD\uFFFD thing"
	if got := d.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestListSort(t *testing.T) {
	var l diag.List
	l.Add(diag.BadEndpoint, ir.Origin{File: "b", Line: 1}, "x")
	l.Add(diag.BadEndpoint, ir.Origin{File: "a", Line: 9}, "x")
	l.Add(diag.BadDocument, ir.Origin{File: "a", Line: 9}, "x")
	l.Add(diag.BadEndpoint, ir.Origin{File: "b", Line: 1}, "x")
	l.Sort()
	if len(l) != 3 || l[0].Code != diag.BadDocument || l[2].Origin.File != "b" {
		t.Errorf("got %v", l)
	}
	if l.Count(diag.Error) != 3 || l.Count(diag.Info) != 0 {
		t.Error("the severities are counted wrongly")
	}
}
