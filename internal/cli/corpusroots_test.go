package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/cli"
)

// corpusVerdicts lists what lint finds at the root of each project, as a user runs it
// there. Below a line with a project come verdicts, and below each the findings that it
// is about. An empty verdict is none.
const corpusVerdicts = "testdata/corpus-roots.txt"

// TestCorpusRoots lints every project of the corpus at its root: the errors and warnings
// are exactly those that were read, each with a verdict.
func TestCorpusRoots(t *testing.T) {
	if _, err := os.Stat(corpusDir); err != nil {
		t.Skipf("SKIPPED: no corpus of real manifests at %s", corpusDir)
	}
	text, err := os.ReadFile(corpusVerdicts)
	if err != nil {
		t.Fatal(err)
	}
	corpus, err := filepath.Abs(corpusDir)
	if err != nil {
		t.Fatal(err)
	}
	want := verdicts(t, string(text))
	for _, p := range projects {
		t.Chdir(filepath.Join(corpus, p.name))
		for _, f := range rootFindings(t) {
			if _, known := want[p.name+" "+f]; !known {
				t.Errorf("%s: found, and has no verdict: %s", p.name, f)
			}
			delete(want, p.name+" "+f)
		}
	}
	for f := range want {
		t.Errorf("is not found any more: %s", f)
	}
}

// verdicts maps findings, with their project before them, to their verdicts.
func verdicts(t *testing.T, text string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	project, verdict := "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "    "):
			if verdict == "" {
				t.Errorf("%s: no verdict: %s", project, line)
			}
			out[project+" "+strings.TrimSpace(line)] = verdict
		case strings.HasPrefix(line, "  "):
			verdict = strings.TrimSpace(line)
		default:
			project, verdict = line, ""
		}
	}
	return out
}

// rootFindings are the errors and warnings of lint in the working directory.
func rootFindings(t *testing.T) (out []string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := cli.Run([]string{"lint", "--synth", "-R", "-f", ".", "-o", "json"}, cli.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	var found []struct {
		Code, Severity, File, Kind, Namespace, Name, Path string
		Line                                              int
	}
	if err := json.Unmarshal(stdout.Bytes(), &found); err != nil {
		t.Fatalf("exit code %d: %v: %s", code, err, &stderr)
	}
	for _, f := range found {
		if f.Severity == "info" {
			continue
		}
		object := strings.TrimPrefix(f.Namespace+"/"+f.Name, "/")
		out = append(out, strings.Join(strings.Fields(fmt.Sprintf("%s %s:%d %s %s %s", f.Code, f.File, f.Line, f.Kind, object, f.Path)), " "))
	}
	slices.Sort(out)
	if (len(out) > 0) != (code == 1) {
		t.Errorf("exit code %d with %d findings", code, len(out))
	}
	return out
}
