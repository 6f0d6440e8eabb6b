package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/internal/cli"
)

// TestReadmeComment makes the change that README.md describes, and wants the comment that
// it quotes, but for line breaks.
func TestReadmeComment(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var quoted []string
	for line := range strings.Lines(string(readme)) {
		if text, ok := strings.CutPrefix(line, ">"); ok {
			quoted = append(quoted, text)
		}
	}
	example, err := filepath.Abs("../../examples/gitops")
	if err != nil {
		t.Fatal(err)
	}
	manifests, node := os.DirFS(filepath.Join(example, "manifests")), filepath.Join(example, "node.yaml")
	t.Chdir(t.TempDir())
	for _, dir := range []string{"old", "manifests"} {
		if err := os.CopyFS(dir, manifests); err != nil {
			t.Fatal(err)
		}
	}
	const before, after = "    - podSelector: {matchLabels: {app: web}}\n    ports:\n    - port: sql\n", "    - namespaceSelector: {}\n      podSelector: {matchLabels: {app: web}}\n"
	policies, err := os.ReadFile("manifests/policies.yaml")
	if err != nil || !bytes.Contains(policies, []byte(before)) {
		t.Fatalf("%v, or the example has changed", err)
	}
	if err := os.WriteFile("manifests/policies.yaml", bytes.Replace(policies, []byte(before), []byte(after), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, diags bytes.Buffer
	if code := cli.Run([]string{"diff", "old", "manifests", "--config", node, "-o", "md"}, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &diags}); code != 1 {
		t.Fatalf("exit code %d: %s", code, diags.String())
	}
	words := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if got, want := words(out.String()), words(strings.Join(quoted, "")); got != want {
		t.Errorf("README.md quotes\n%s\nand the comment is\n%s", want, got)
	}
}

// TestReadmeFirstCommand runs the first command of README.md: what a newcomer sees first is
// short and has no warning.
func TestReadmeFirstCommand(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(readme), "\n## First command\n")
	_, text, more := strings.Cut(text, "\n    go run ./cmd/planec ")
	line, _, _ := strings.Cut(text, "\n")
	if !found || !more {
		t.Fatal("README.md has no first command")
	}
	t.Chdir("../..")
	var out, diags strings.Builder
	if code := cli.Run(strings.Fields(line), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &diags}); code != 0 || diags.Len() > 0 {
		t.Errorf("planec %s: exit code %d: %s", line, code, diags.String())
	}
	if n := strings.Count(out.String(), "\n"); n == 0 || n >= 40 {
		t.Errorf("planec %s prints %d lines", line, n)
	}
}
