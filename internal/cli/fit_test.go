package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFitted(t *testing.T) {
	for line, want := range map[string]string{
		"":                       "",
		"short":                  "short",
		"just as wide as it is.": "just as wide as it is.",
		"  80/tcp  from shop/web, shop/cart, shop/api": "  80/tcp  from\n          shop/web,\n          shop/cart,\n          shop/api",
		"note: something to say about all of it":       "note: something to say\n  about all of it",
		"a-word-that-is-wider-than-the-terminal is":    "a-word-that-is-wider-than-the-terminal\n  is",
		"\x1b[31mred text that goes on and on\x1b[0m":  "\x1b[31mred text that goes on\n  and on\x1b[0m",
		"    indented text that goes on and on":        "    indented text that\n      goes on and on",
		"→ … arrows are one column":                    "→ … arrows are one\n  column",
	} {
		if got := fitted(line, 22); got != want {
			t.Errorf("%q:\n%q, want\n%q", line, got, want)
		}
	}
}

// TestTablesFit draws the same on a narrow terminal, on a wide one and in a pipe: it has the
// same words in the same order, in lines that fit unless a single word does not.
func TestTablesFit(t *testing.T) {
	path := manyNodes(t, 12)
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policy, []byte("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: some-policy-with-a-name, namespace: a}\nspec:\n  podSelector: {matchLabels: {app: no-pod-has-this-label}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"matrix", "matrix --explain --from a/p0 --to a/p1", "list --exposure", "lint", "trace --from a/p0 --to a/p1 --port 80", "config view",
	} {
		args := strings.Fields(line)
		if args[0] != "config" {
			args = append(args, "-f", path, "-f", policy)
		}
		args = append(args, "--cluster-cidr", "10.244.0.0/16")
		pipe, wide, narrow := onTerminal(args, 0), onTerminal(args, 10000), onTerminal(args, 60)
		if pipe != wide || pipe == "" {
			t.Errorf("planec %s: a pipe gets %q, and a wide terminal %q", line, pipe, wide)
		}
		if !slices.Equal(strings.Fields(pipe), strings.Fields(narrow)) {
			t.Errorf("planec %s: other words on a narrow terminal:\n%s\nthan in a pipe:\n%s", line, narrow, pipe)
		}
		for l := range strings.Lines(narrow) {
			if l = strings.TrimSuffix(l, "\n"); columns(l) > 60 && strings.Contains(strings.TrimSpace(l), " ") {
				t.Errorf("planec %s: a line of %d columns: %q", line, columns(l), l)
			}
		}
	}
	for _, form := range []string{"json", "csv", "md", "dot", "svg", "html"} {
		args := []string{"matrix", "-f", path, "--cluster-cidr", "10.244.0.0/16", "-o", form}
		if onTerminal(args, 0) != onTerminal(args, 40) {
			t.Errorf("matrix -o %s is fitted to a terminal", form)
		}
	}
}

// TestGridFits cuts a table that is wider than the terminal into several.
func TestGridFits(t *testing.T) {
	args := []string{"matrix", "-f", manyNodes(t, 12), "--cluster-cidr", "10.244.0.0/16", "--port", "80"}
	got := onTerminal(args, 40)
	var numbers []string
	for l := range strings.Lines(got) {
		if columns(strings.TrimSuffix(l, "\n")) > 40 {
			t.Errorf("a line of %d columns: %q", columns(l), l)
		}
		if rest, ok := strings.CutPrefix(l, `from \ to`); ok {
			numbers = append(numbers, strings.Fields(rest)...)
		}
	}
	want := make([]string, 12)
	for i := range want {
		want[i] = fmt.Sprint(i + 1)
	}
	if !slices.Equal(numbers, want) || strings.Count(got, "yes") != strings.Count(onTerminal(args, 0), "yes") {
		t.Errorf("columns %v:\n%s", numbers, got)
	}
}

// onTerminal is what a command prints on a terminal of a width, or in a pipe.
func onTerminal(args []string, width int) string {
	var out, errs strings.Builder
	Run(args, Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Width: width})
	return out.String()
}
