//go:build unix

package applier_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestNoFile has something in the places of a record's files that is no file, or none that a planec has
// written: nothing waits for it or reads it all, it is no record, and an apply puts its own there.
func TestNoFile(t *testing.T) {
	for name, put := range map[string]func(path string) error{
		"a pipe": func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a link to a pipe": func(path string) error {
			return errors.Join(syscall.Mkfifo(path+".pipe", 0o600), os.Symlink(path+".pipe", path))
		},
		"a device without end":  func(path string) error { return os.Symlink("/dev/zero", path) },
		"a link that has none":  func(path string) error { return os.Symlink("nowhere", path) },
		"a link to itself":      func(path string) error { return os.Symlink(filepath.Base(path), path) },
		"a file of a terabyte":  func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<40)) },
		"a file without a line": func(path string) error { return os.WriteFile(path, make([]byte, 1<<16), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			a, _, _, _, parent := setUp(t)
			dir := filepath.Join(parent, "state")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{"last.artifact", "previous.artifact", "rules.seal", "rules.seal.next"} {
				if err := put(filepath.Join(dir, file)); err != nil {
					t.Fatal(err)
				}
			}
			if e, err := a.Last(); err == nil {
				t.Errorf("it is the last record: %v", e)
			}
			if e, err := a.Previous(); err == nil {
				t.Errorf("it is the record before: %v", e)
			}
			if _, _, err := a.Rollback(t.Context()); err == nil {
				t.Error("a rollback goes to it")
			}
			for _, rules := range []string{"first", "second"} {
				if _, err := a.Apply(t.Context(), entry("one", rules)); err != nil {
					t.Fatal(err)
				}
			}
			if e, err := a.Previous(); err != nil || !strings.Contains(string(e.Artifact.File("rules")), "first") {
				t.Errorf("after two applies the one before is %v, %v", e, err)
			}
		})
	}
}
