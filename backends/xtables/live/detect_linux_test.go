package live

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/planec/planec/internal/testing/testkit"
)

// failingProgram replaces a program by one that fails a few times, like a kernel
// without memory, and then behaves like the real one.
func failingProgram(t *testing.T, name string, times int) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := fmt.Sprintf(`#!/bin/sh
n=$(cat %[1]s/count 2>/dev/null || echo 0)
echo $((n+1)) >%[1]s/count
[ "$n" -ge %[2]d ] && exec %[3]s "$@"
echo "%[4]s: Could not fetch rule set generation id: Cannot allocate memory" >&2
exit 4
`, dir, times, path, name)
	if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// TestDetect wants the variant that has planec's rules, even if it fails
// temporarily, and never the other one.
func TestDetect(t *testing.T) {
	for _, variant := range []string{"nft", "legacy"} {
		for _, c := range []struct {
			name, program string
			times         int
			want          error
		}{
			{"no failure", "iptables-" + variant + "-save", 0, nil},
			{"once", "iptables-" + variant + "-save", 1, nil},
			{"three times", "iptables-" + variant + "-save", 3, nil},
			{"always", "iptables-" + variant + "-save", 1000, ErrMeanwhile},
			{"version", "iptables", 2, nil},
		} {
			t.Run(variant+"/"+c.name, func(t *testing.T) {
				r, _ := node(t, variant)
				testkit.Require(t, "iptables")
				if _, err := r.Run("", "iptables-"+variant, "-t", "nat", "-N", "PLC-SERVICES"); err != nil {
					t.Fatal(err)
				}
				failingProgram(t, c.program, c.times)
				var tools *Tools
				err := r.Do(func() (err error) { tools, err = Detect(t.Context()); return err })
				if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
					t.Fatalf("got %v, want %v", err, c.want)
				}
				if err == nil && tools.Variant != variant {
					t.Errorf("got %s, want %s", tools.Variant, variant)
				}
			})
		}
	}
}

// TestDetectByCommand has no rules: the command iptables decides, and is retried
// when it fails.
func TestDetectByCommand(t *testing.T) {
	r, _ := node(t, "legacy")
	real, err := exec.LookPath("iptables-legacy")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(real, filepath.Join(dir, "iptables")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for times, want := range map[int]string{0: "legacy", 2: "legacy", 1000: ""} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			failingProgram(t, "iptables", times)
			var tools *Tools
			err := r.Do(func() (err error) { tools, err = Detect(t.Context()); return err })
			if want == "" && err == nil {
				t.Errorf("got %s, though the node's variant is not known", tools.Variant)
			}
			if want != "" && (err != nil || tools.Variant != want) {
				t.Errorf("got %v, %v, want %s", tools, err, want)
			}
		})
	}
}
