package frrload

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestPipe: a pipe in the place of the file is said, and waits for nothing.
func TestPipe(t *testing.T) {
	f := &FRR{Dir: t.TempDir()}
	if err := syscall.Mkfifo(f.File(), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := f.Read(); !errors.Is(err, ErrForeign) {
		t.Errorf("%q %v", b, err)
	}
	if removed, err := f.Clean(t.Context()); err != nil || removed != nil {
		t.Errorf("it is not planec's: %q %v", removed, err)
	}
}

// TestNoDirectory: nothing of planec's is below a path that is no directory, and it is said once
// what is wrong with it, however often it is tried.
func TestNoDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := &FRR{Dir: filepath.Join(file, "frr")}
	if removed, err := f.Clean(t.Context()); err != nil || removed != nil {
		t.Errorf("%q %v", removed, err)
	}
	if err := f.Write(nil); err == nil {
		t.Error("it was written")
	}
	f.Dir = "/proc"
	first, again := f.Write(nil), f.Write(nil)
	if first == nil || again == nil || first.Error() != again.Error() {
		t.Errorf("%v, then %v", first, again)
	}
}
