//go:build unix

package manifest_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/planec/planec/internal/manifest"
)

// TestPipe asks that a named pipe is read, as the shell's <(command) is one, and
// that one without a writer is an error at once.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pipe.yaml")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	load := func(path string) (int, error) {
		set, _, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{path}})
		return len(set.Services), err
	}
	if n, err := load(path); err == nil {
		t.Errorf("%d objects from a pipe that nobody writes to", n)
	}
	if n, err := load(dir); err != nil || n != 0 {
		t.Errorf("a pipe in a directory: %d objects, %v", n, err)
	}
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString(svcA); err != nil {
		t.Fatal(err)
	}
	go func() {
		time.Sleep(50 * time.Millisecond)
		w.Close()
	}()
	if n, err := load(path); err != nil || n != 1 {
		t.Errorf("%d objects, %v", n, err)
	}
}
