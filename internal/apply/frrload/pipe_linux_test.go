package frrload

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
)

// TestRecordIsPipe has pipes in the places of the record's files: nothing waits for them.
func TestRecordIsPipe(t *testing.T) {
	dir, want := t.TempDir(), &FRR{Dir: "/etc/frr"}
	for _, name := range []string{recordFile, nextFile} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if f, err := Recall(dir); f != nil || !errors.Is(err, ErrForeign) {
		t.Errorf("a pipe is the record %v, %v", f, err)
	}
	if err := want.Remember(dir); err != nil {
		t.Fatal(err)
	}
	if f, err := Recall(dir); err != nil || f.Dir != want.Dir {
		t.Errorf("%v, %v", f, err)
	}
}
