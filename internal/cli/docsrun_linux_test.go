package cli_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	agentcmd "github.com/planec/planec/internal/agent/cmd"
	"github.com/planec/planec/internal/cli"
)

// onNode are the documents whose commands change or read a kernel: without root, they do
// not run. As root all documents run in a network namespace, with a /run and a /var/lib of
// their own, whose processes end with the test.
var onNode = map[string]bool{
	"docs/tasks/run-a-node.md": true, "docs/tasks/understand-a-rule.md": true, "docs/tasks/migrate-from-kube-proxy.md": true,
	"docs/tasks/write-a-backend.md": true, "docs/applying.md": true, "docs/operations.md": true, "docs/backends.md": true,
}

// TestDocumentsRun runs the commands of all documents, each document in one shell and in
// a copy of the examples, and compares what they print with what the document shows: all
// but line breaks, where "…" stands for anything. Of a command that cannot run here its
// flags are checked.
func TestDocumentsRun(t *testing.T) {
	used := make([]bool, len(notRun))
	for _, file := range documents(t) {
		var run []docCommand
		for _, c := range commands(file, docText(t, file)) {
			checkFlags(t, c, c.text)
			if i := reason(c); i >= 0 {
				used[i] = true
			} else {
				run = append(run, c)
			}
		}
		if len(run) == 0 {
			continue
		}
		t.Run(strings.ReplaceAll(file, "/", "_"), func(t *testing.T) {
			t.Parallel()
			if onNode[file] && os.Getuid() != 0 {
				t.Skip("needs root, for a network namespace")
			}
			runDocument(t, run)
		})
	}
	for i, n := range notRun {
		if !used[i] {
			t.Errorf("no document has the command %q of %s that the table notRun excuses", n.begins, n.file)
		}
	}
}

// reason returns the entry of notRun for the command, or -1.
func reason(c docCommand) int {
	for i, n := range notRun {
		if n.file == c.file && strings.HasPrefix(c.text, n.begins) {
			return i
		}
	}
	return -1
}

// runDocument runs the commands in one shell and compares what they print.
func runDocument(t *testing.T, run []docCommand) {
	t.Helper()
	work, results, namespace := workspace(t), t.TempDir(), os.Getuid() == 0
	var script strings.Builder
	script.WriteString("trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n")
	if namespace {
		script.WriteString("mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib && ip link set lo up || exit 9\n")
	}
	for i, c := range run {
		if !needsRoot(c) || namespace {
			text := strings.ReplaceAll(c.text, "go run ./cmd/planec ", "planec ") // the test is built from the same source
			fmt.Fprintf(&script, "{ %s\n} >%s/%d.out 2>&1 </dev/null\necho $? >%[2]s/%[3]d.code\n", text, results, i)
		}
	}
	args := []string{"bash", "-c", script.String()}
	if namespace {
		args = append([]string{"unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"}, args...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, args[0], args[1:]...)
	shell.Dir = work
	shell.Env = append(os.Environ(), "KUBECONFIG=/dev/null", "GITHUB_BASE_REF=main", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	if out, err := shell.CombinedOutput(); err != nil && ctx.Err() != nil {
		t.Fatalf("the commands do not end: %v\n%s", err, out)
	}
	for i, c := range run {
		if needsRoot(c) && !namespace {
			t.Logf("%s:%d needs root: %s", c.file, c.line, c.text)
			continue
		}
		compareOutput(t, c, result(t, results, i, "code"), result(t, results, i, "out"))
	}
}

// result reads what a command left: its output ("out") or its exit code ("code").
func result(t *testing.T, dir string, i int, kind string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.%s", i, kind)))
	if err != nil {
		t.Fatalf("command %d did not run to its end: %v", i+1, err)
	}
	return strings.TrimSpace(string(text))
}

// needsRoot says whether a command makes a namespace of its own.
func needsRoot(c docCommand) bool { return strings.Contains(c.text, "unshare ") }

// saidCode finds what a document says of the exit code: "exit code 1", or "exit code 1 if ...".
var saidCode = regexp.MustCompile(`exit code 1( if| while)?`)

// codeIs says whether a command may have this exit code: 0, or 1 (a finding) where the
// document says so or shows the finding.
func codeIs(c docCommand, code string) bool {
	said := saidCode.FindStringSubmatch(c.text)
	switch {
	case said == nil:
		return code == "0" || code == "1" && c.output != ""
	case said[1] == "":
		return code == "1"
	}
	return code == "0" || code == "1"
}

// compareOutput wants the exit code and the output that the document shows.
func compareOutput(t *testing.T, c docCommand, code, out string) {
	t.Helper()
	if !codeIs(c, code) {
		t.Errorf("%s:%d: %s\nexit code %s: %s", c.file, c.line, c.text, code, out)
		return
	}
	if c.output == "" {
		return
	}
	words := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	parts := strings.Split(words(c.output), "…")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(strings.TrimSpace(p))
	}
	if !regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(words(out)) {
		t.Errorf("%s:%d: %s\nprints\n%s\nand the document shows\n%s", c.file, c.line, c.text, out, c.output)
	}
}

// workspace makes a repository with origin/main: examples/gitops at its top, which
// commands about "your repository" are for, and all of the examples.
func workspace(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for to, from := range map[string]string{".": "examples/gitops", "examples": "examples"} {
		if err := os.CopyFS(filepath.Join(dir, to), os.DirFS(filepath.Join(topOfRepository, from))); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"},
		{"add", "-A"},
		{"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "examples"},
		{"update-ref", "refs/remotes/origin/main", "HEAD"},
	} {
		if out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	return dir
}

// checkFlags wants a command and flags that there are, in each part of a pipe.
func checkFlags(t *testing.T, c docCommand, text string) {
	t.Helper()
	text = regexp.MustCompile(`--backend (B|NAME)\b`).ReplaceAllString(text, "")
	if strings.Contains(text, "<<") || c.file == "docs/diagnostics.md" {
		return // documents that planec writes are its examples of faults
	}
	text = regexp.MustCompile(` +#.*`).ReplaceAllString(strings.ReplaceAll(text, "\\\n", " "), "")
	for _, part := range regexp.MustCompile(`[|;&<>]+`).Split(text, -1) {
		args := strings.Fields(strings.ReplaceAll(part, "go run ./cmd/planec ", "planec "))
		if len(args) == 0 || args[0] != "planec" && args[0] != "planec-agent" {
			continue
		}
		for i := range args {
			args[i] = strings.Trim(args[i], `"'`)
		}
		if err := parse(args); err != nil {
			t.Errorf("%s:%d: %s: %v", c.file, c.line, strings.TrimSpace(part), err)
		}
	}
}

func parse(args []string) error {
	if args[0] == "planec-agent" {
		return parseFlags(agentcmd.New(io.Discard), args[1:])
	}
	c, rest, err := cli.Command().Find(args[1:])
	if err != nil {
		return err
	}
	return parseFlags(c, rest)
}

func parseFlags(c *cobra.Command, args []string) error {
	c.InitDefaultHelpFlag()
	return c.ParseFlags(args)
}

// inlineCommand is a command in a sentence.
var inlineCommand = regexp.MustCompile("`(planec [^`]+)`")

// TestInlineCommands wants the commands in sentences to have flags that there are.
func TestInlineCommands(t *testing.T) {
	for _, file := range documents(t) {
		if file == "CHANGELOG.md" {
			continue // it has names that changed
		}
		for i, l := range strings.Split(docText(t, file), "\n") {
			for _, m := range inlineCommand.FindAllStringSubmatch(l, -1) {
				if !strings.Contains(m[1], "COMMAND") {
					checkFlags(t, docCommand{file: file, line: i + 1}, m[1])
				}
			}
		}
	}
}
