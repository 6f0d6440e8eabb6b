package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/internal/cli"
	"github.com/planec/planec/ir/diag"
)

// TestFormsOfHostileNames feeds names and values that would move text, end a place or
// make a link through every form of every command that has forms for machines.
func TestFormsOfHostileNames(t *testing.T) {
	const manifest = `apiVersion: v1
kind: Service
metadata: {name: s, namespace: a}
spec:
  clusterIP: 10.96.0.9
  externalIPs: ["[read](https://example.invalid) {0} @admin #12\n::error::x", "x\u202eeurt\u200b", "\u2066198.51.100.7"]
  ports: [{port: 80}]
`
	old, dir := t.TempDir(), filepath.Join(t.TempDir(), "n\x1b[31m\n::error::x\u202e")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Skip("no such names here: ", err)
	}
	for at, text := range map[string]string{
		filepath.Join(dir, "a b\x1b[31m\n\u202e%0A,:.yaml"): manifest,
		filepath.Join(old, "a.yaml"):                        strings.Replace(manifest, "externalIPs", "loadBalancerSourceRanges", 1),
	} {
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	commands := [][]string{}
	for _, form := range []string{"text", "json", "github", "sarif"} {
		commands = append(commands, []string{"lint", "--cluster-cidr", "10.244.0.0/16", "-R", "-f", filepath.Dir(dir), "-o", form})
	}
	for _, form := range []string{"text", "json", "md", "github", "sarif", "html"} {
		commands = append(commands, []string{"diff", "--cluster-cidr", "10.244.0.0/16", old, dir, "-o", form})
	}
	for _, args := range commands {
		var out, errs strings.Builder
		cli.Run(args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
		name := args[0] + " -o " + args[len(args)-1]
		if out.Len() == 0 && name != "diff -o github" { // nothing can be reached newly
			t.Errorf("%s says nothing: %s", name, errs.String())
		}
		for line := range strings.Lines(out.String() + errs.String()) {
			if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), diag.Moves) {
				t.Errorf("%s: %q", name, line)
			}
			if strings.HasPrefix(line, "::error::x") {
				t.Errorf("%s: a name wrote a line: %q", name, line)
			}
			if strings.HasSuffix(name, "sarif") && strings.Contains(line, `"text": "Service`) && (strings.Contains(line, "\"[read]") || !strings.Contains(line, `\\[`)) {
				t.Errorf("%s: a link: %s", name, line)
			}
		}
	}
}
