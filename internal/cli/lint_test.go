package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/internal/cli"
	"github.com/planec/planec/ir/diag"
)

// TestLintCases runs lint --synth on each case of testdata/lint and compares
// what it says with what was read and found right. Each code of lint's own must
// be in some case; each case also holds what must not be found.
func TestLintCases(t *testing.T) {
	cases, err := filepath.Glob("testdata/lint/*/input.yaml")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var all strings.Builder
	for _, input := range cases {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			golden, err := filepath.Abs(filepath.Join(dir, "findings.txt"))
			if err != nil {
				t.Fatal(err)
			}
			got := lintIn(t, dir)
			all.WriteString(got)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
	for _, c := range diag.Codes() {
		if c.Code >= diag.SynthLimit && c.Code < "PLC0800" && !strings.Contains(all.String(), string(c.Code)) {
			t.Errorf("%s (%s) is in no case", c.Code, c.Title)
		}
	}
}

// lintIn is what lint prints in a directory, so that files have short names.
func lintIn(t *testing.T, dir string) string {
	t.Helper()
	t.Chdir(dir)
	var out, errs bytes.Buffer
	if code := cli.Run([]string{"lint", "--synth", "-f", "input.yaml", "--backend", "nftables"}, cli.Streams{Out: &out, Err: &errs}); code > 1 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	var lines []string
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "  hint: ") && !strings.Contains(line, string(diag.SkippedKinds)) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
