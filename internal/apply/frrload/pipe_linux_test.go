package frrload

import (
	"strings"
	"syscall"
	"testing"
)

// TestPipe: a pipe in the place of the file is said, and waits for nothing.
func TestPipe(t *testing.T) {
	f := &FRR{Dir: t.TempDir()}
	if err := syscall.Mkfifo(f.File(), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := f.Read(); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("%q %v", b, err)
	}
	if removed, err := f.Clean(t.Context()); err == nil {
		t.Errorf("%q", removed)
	}
}
