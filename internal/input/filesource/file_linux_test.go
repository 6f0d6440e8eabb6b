package filesource

import (
	"errors"
	"os"
	"testing"
)

// TestImpatient gives a file up that waits for its content, as /proc/kmsg does, and
// reads one that is there.
func TestImpatient(t *testing.T) {
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close()
	if _, err := (impatient{r}).Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a file that waits: %v, want %v", err, os.ErrDeadlineExceeded)
	}
	f, err := os.Open("file_linux_test.go")
	must(t, err)
	defer f.Close()
	if n, err := (impatient{f}).Read(make([]byte, 7)); n != 7 || err != nil {
		t.Errorf("a file: %d bytes, %v", n, err)
	}
}
