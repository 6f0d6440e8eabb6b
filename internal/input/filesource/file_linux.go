package filesource

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir/diag"
)

// file is one file that was read.
type file struct {
	// stamp is that of the content that was looked at last.
	stamp stamp
	set   objects.Set
	// diags are about the content that was looked at last, whether the set is
	// of it or of what was there before.
	diags diag.List
	// kept says what of the content before is used still; "" is nothing.
	kept string
	// doubtful are the objects of the set that have fields which the API does not have.
	doubtful map[objects.Identity]bool
}

// stamp tells contents of a file apart without reading them.
type stamp struct {
	device, inode uint64
	size          int64
	modified      time.Time
}

// errBusy says that a process is writing to the file.
var errBusy = errors.New("another process has it open for writing")

func stampOf(info os.FileInfo) stamp {
	s := stamp{size: info.Size(), modified: info.ModTime()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.device, s.inode = sys.Dev, sys.Ino
	}
	return s
}

// readFile reads a file that differs from what was read before; nil is one that
// does not. It never waits: a pipe that took the file's place is refused.
func readFile(ctx context.Context, path string, had *file) (*file, error) {
	if info, err := os.Stat(path); err == nil && had != nil && had.stamp == stampOf(info) {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENXIO) {
		return nil, errBusy // a link or a socket took its place just now: the next look sees it
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errBusy // as above
	}
	if writing, err := beingWritten(f); err != nil || writing {
		return nil, errors.Join(err, busy(writing))
	}
	set, diags, err := manifest.LoadFrom(ctx, filepath.ToSlash(path), impatient{f})
	if err != nil {
		return nil, err
	}
	// What was read in two halves is neither.
	after, err := f.Stat()
	if err != nil {
		return nil, err
	}
	writing, err := beingWritten(f)
	if err != nil || writing || stampOf(after) != stampOf(info) {
		return nil, errors.Join(err, busy(true))
	}
	return &file{stamp: stampOf(info), set: set, diags: diags}, nil
}

// impatience is how long one read of a file may wait for content that is not there.
const impatience = 100 * time.Millisecond

// impatient reads a file without waiting for what is to come. Some files of /proc are
// regular and wait all the same: a link to /proc/kmsg must not be the end of all
// reading.
type impatient struct{ *os.File }

// Read implements io.Reader.
func (f impatient) Read(b []byte) (int, error) {
	if err := f.SetReadDeadline(time.Now().Add(impatience)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return 0, err
	}
	return f.File.Read(b)
}

func busy(writing bool) error {
	if writing {
		return errBusy
	}
	return nil
}
