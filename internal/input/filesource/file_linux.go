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
	// stamp identifies the last examined content.
	stamp stamp
	set   objects.Set
	// diags are about the last examined content, whether or not the set is from
	// it.
	diags diag.List
	// kept describes the still used part of the previous content, or "".
	kept string
	// doubtful are the objects of the set with fields that the API lacks.
	doubtful map[objects.Identity]bool
}

// stamp distinguishes contents of a file without reading them.
type stamp struct {
	device, inode uint64
	size          int64
	modified      time.Time
}

// errBusy says that a process is writing the file.
var errBusy = errors.New("another process has it open for writing")

func stampOf(info os.FileInfo) stamp {
	s := stamp{size: info.Size(), modified: info.ModTime()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.device, s.inode = sys.Dev, sys.Ino
	}
	return s
}

// readFile reads a file that differs from had; otherwise it returns nil. It
// never waits: it rejects a pipe that replaced the file.
func readFile(ctx context.Context, path string, had *file) (*file, error) {
	if info, err := os.Stat(path); err == nil && had != nil && had.stamp == stampOf(info) {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENXIO) {
		return nil, errBusy // a link or a socket replaced the file just now: the next look sees it
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
	// A file that changed between two reads is neither version.
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

// impatience bounds how long one read of a file may wait for content.
const impatience = 100 * time.Millisecond

// impatient reads a file without waiting for content. Some files of /proc are regular
// and wait nevertheless: a link to /proc/kmsg must not block all reading.
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
