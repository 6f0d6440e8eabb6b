package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// everySecond is a clock that is a second later each time that it is looked at.
func everySecond() func() time.Time {
	at := time.Unix(0, 0)
	return func() time.Time {
		at = at.Add(time.Second)
		return at
	}
}

// manyNodes writes manifests with some nodes and pods.
func manyNodes(t *testing.T, n int) string {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: Node\nmetadata: {name: node-%02d}\nspec: {podCIDR: 10.244.%d.0/24}\nstatus: {addresses: [{type: InternalIP, address: 192.0.2.%d}]}\n", i, i, i+1)
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%d, namespace: a}\nspec: {nodeName: node-%02d, containers: [{name: c}]}\nstatus: {podIPs: [{ip: 10.244.%d.2}]}\n", i, i, i)
	}
	path := filepath.Join(t.TempDir(), "cluster.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestProgress runs commands for which time flies, on a terminal: each says what it is at,
// in one line that is gone at the end, before anything else is written.
func TestProgress(t *testing.T) {
	path, out := manyNodes(t, 12), t.TempDir()
	for line, want := range map[string]string{
		"compile --all-nodes --backend nftables --out-dir " + out:  "compiling node 11 of 12 …",
		"report --all-nodes -o " + filepath.Join(out, "page.html"): "compiling node 12 of 12 …",
		"lint":                                  "compiling node 7 of 12 …",
		"matrix":                                "working out who can reach whom …",
		"matrix --port 80":                      "asking about pod 9 of 12 …",
		"trace --from a/p0 --to a/p1 --port 80": "reading 24 objects …",
	} {
		var stdout, errs strings.Builder
		args := append(strings.Fields(line), "-f", path, "--cluster-cidr", "10.244.0.0/16")
		if code := Run(args, Streams{In: strings.NewReader(""), Out: &stdout, Err: &errs, ErrWidth: 50, Now: everySecond()}); code > 1 {
			t.Fatalf("planec %s: exit %d: %s", line, code, errs.String())
		}
		if !strings.Contains(errs.String(), eraseLine+want) {
			t.Errorf("planec %s does not say %q: %q", line, want, errs.String())
		}
		for l := range strings.SplitSeq(errs.String(), "\n") {
			shown := strings.Split(l, eraseLine)
			for i, part := range shown[:len(shown)-1] {
				if i > 0 && part != "" && !strings.HasSuffix(part, "…") {
					t.Errorf("planec %s writes %q behind its progress", line, part)
				}
			}
			if last := shown[len(shown)-1]; strings.HasSuffix(last, "…") {
				t.Errorf("planec %s leaves %q on the screen", line, last)
			}
		}
	}
}

// TestNoProgress wants nothing of it where standard error is no terminal, with --quiet, and
// in a command that takes less than a second.
func TestNoProgress(t *testing.T) {
	path := manyNodes(t, 12)
	still := func() time.Time { return time.Unix(0, 0) }
	for name, s := range map[string]Streams{
		"a pipe": {Now: everySecond()}, "a short command": {Now: still, ErrWidth: 80}, "--quiet": {Now: everySecond(), ErrWidth: 80},
	} {
		var stdout, errs strings.Builder
		s.In, s.Out, s.Err = strings.NewReader(""), &stdout, &errs
		args := []string{"matrix", "-f", path, "--cluster-cidr", "10.244.0.0/16"}
		if name == "--quiet" {
			args = append(args, "--quiet")
		}
		if code := Run(args, s); code != 0 || errs.String() != "" {
			t.Errorf("%s: exit %d, %q", name, code, errs.String())
		}
	}
}

// TestProgressFits wants one line, whatever is in it.
func TestProgressFits(t *testing.T) {
	var b strings.Builder
	s := Streams{Err: &b, ErrWidth: 20, Now: everySecond()}
	p := newProgress(&s)
	p.step("building %s", "a\x1b[31m/very/long/path/of/a/kustomization")
	if got := strings.TrimPrefix(b.String(), eraseLine); len([]rune(got)) > 19 || strings.Contains(got, "\x1b") {
		t.Errorf("%q does not fit into 20 columns", got)
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
