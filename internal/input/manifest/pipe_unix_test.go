//go:build unix

package manifest_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir/diag"
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
		t.Errorf("%d objects from a pipe without a writer", n)
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

// TestKeepGoing leaves out a file that cannot be read, with an error, where that is
// asked for.
func TestKeepGoing(t *testing.T) {
	dir := t.TempDir()
	good, gone := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")
	if err := os.WriteFile(good, []byte(svcA), 0o600); err != nil {
		t.Fatal(err)
	}
	// A pipe that no process writes to can be opened, and not read.
	if err := syscall.Mkfifo(gone, 0o600); err != nil {
		t.Skip(err)
	}
	if _, _, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{good, gone}}); err == nil {
		t.Error("a file that cannot be read is no error")
	}
	set, diags, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{good, gone}, KeepGoing: true})
	if err != nil || len(set.Services) != 1 || diags.Count(diag.Error) != 1 || diags[0].Code != diag.UnreadInput {
		t.Errorf("with KeepGoing: %d Services, %v, %v", len(set.Services), diags, err)
	}
}
