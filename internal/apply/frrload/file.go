package frrload

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/planec/planec/backends/frr"
)

// FRR is an FRR of this machine.
type FRR struct {
	// Dir is the directory of frr.conf; it is made if it is not there.
	Dir string
	// Run is the directory of FRR's sockets, such as /run/frr.
	Run string
	// Reload is FRR's program frr-reload.py; "" says that another program loads the file.
	Reload string
}

// DefaultReload is where Debian's package frr-pythontools has the program, and DefaultRun where
// FRR has its sockets.
const (
	DefaultReload = "/usr/lib/frr/frr-reload.py"
	DefaultRun    = "/run/frr"
)

// ErrForeign says that a frr.conf is of another program, or of an administrator.
var ErrForeign = errors.New("another program wrote it: move it away, and planec writes its own")

// File is the path of frr.conf.
func (f *FRR) File() string { return filepath.Join(f.Dir, frr.File) }

// largest bounds a frr.conf that is read, in bytes: one of 128 neighbors with 50,000 routes
// each is smaller.
const largest = 1 << 30

// Read returns what frr.conf says; nil if it is not there. One that planec did not write is
// an error.
func (f *FRR) Read() ([]byte, error) {
	file, err := openRegular(f.File())
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading frr.conf: %w", err)
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, largest))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.File(), err)
	}
	if len(b) > 0 && !bytes.HasPrefix(b, []byte(frr.Header)) {
		return nil, fmt.Errorf("%s: %w", f.File(), ErrForeign)
	}
	return b, nil
}

// openRegular opens a file, and nothing else: a named pipe would wait for a writer for ever, also
// when the agent is to end.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file: %w", path, ErrForeign)
	}
	return os.OpenFile(path, os.O_RDONLY|nonblock, 0) // it may have become a pipe meanwhile
}

// temporary begins the names of files that are not complete.
const temporary = ".frr.conf.planec."

// Write replaces frr.conf in one step; readers see the old or the new one. It belongs to the
// owner of its directory, who is FRR's user in /etc/frr, and only that user and group may read it:
// it may have passwords.
func (f *FRR) Write(conf []byte) (err error) {
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return fmt.Errorf("the directory of frr.conf: %w", err)
	}
	f.sweep()
	file, err := os.CreateTemp(f.Dir, temporary+"*")
	if err != nil {
		// The name differs each time, and an error that is repeated is said once.
		if path := (*fs.PathError)(nil); errors.As(err, &path) {
			err = path.Err
		}
		return fmt.Errorf("writing into %s: %w", f.Dir, err)
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name()) // the first error is the relevant one
		}
	}()
	_, err = file.Write(conf)
	if err == nil {
		err = errors.Join(file.Chmod(0o640), sameOwner(file, f.Dir))
	}
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), f.File())
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", f.File(), err)
	}
	return nil
}

// sweep removes what a killed process left.
func (f *FRR) sweep() {
	left, _ := filepath.Glob(filepath.Join(f.Dir, temporary+"*")) // the pattern is right
	for _, path := range left {
		os.Remove(path) // another one is made anyway
	}
}
