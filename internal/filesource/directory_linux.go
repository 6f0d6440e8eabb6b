package filesource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/inbox"
	"github.com/planec/planec/internal/manifest"
	"github.com/planec/planec/ir/diag"
)

// directory is what was read of the files of one.
type directory struct {
	path  string
	log   *slog.Logger
	files map[string]*file
	// passed are the objects that the inbox has.
	passed map[identity]object
}

// file is one file that was read.
type file struct {
	// stamp is that of the content that was looked at last.
	stamp stamp
	set   objects.Set
	// diags are about the content that was looked at last, whether the set is
	// of it or of what was there before.
	diags diag.List
}

// stamp tells contents of a file apart without reading them.
type stamp struct {
	device, inode uint64
	size          int64
	modified      time.Time
}

func newDirectory(path string, log *slog.Logger) *directory {
	return &directory{path: path, log: log, files: make(map[string]*file), passed: make(map[identity]object)}
}

// read reads the files that are new or changed. Open says that one of them is
// being written to, and was left as it was.
func (d *directory) read(ctx context.Context) (changed, open bool, err error) {
	paths, err := manifest.Files([]string{d.path}, false)
	if err != nil {
		return false, false, err
	}
	there := make(map[string]bool, len(paths))
	for _, path := range paths {
		there[path] = true
		fresh, busy, err := d.readFile(ctx, path)
		if ctx.Err() != nil {
			return false, false, ctx.Err()
		}
		if err != nil {
			// It may be gone again already; the next look will tell.
			d.log.Debug("reading a manifest: again soon", "file", path, "error", err)
			busy = true
		}
		changed, open = changed || fresh, open || busy
	}
	for path := range d.files {
		if !there[path] {
			delete(d.files, path)
			changed = true
		}
	}
	return changed, open, nil
}

func (d *directory) readFile(ctx context.Context, path string) (fresh, busy bool, err error) {
	before, err := stampOf(path)
	if err != nil {
		return false, false, err
	}
	had := d.files[path]
	if had != nil && had.stamp == before {
		return false, false, nil
	}
	if writing, err := beingWritten(path); err != nil || writing {
		return false, writing, err
	}
	set, diags, err := manifest.Load(ctx, manifest.Options{Paths: []string{path}})
	if err != nil {
		return false, false, err
	}
	// What was read in two halves is neither.
	if after, err := stampOf(path); err != nil || after != before {
		return false, true, err
	}
	f := &file{stamp: before, set: set, diags: diags}
	if had != nil && broken(diags) {
		f.set = had.set
	}
	d.files[path] = f
	return true, false, nil
}

// broken reports whether the file is not what it should be as a whole: cut off,
// or no YAML at all. An object that is wrong by itself is left out alone.
func broken(diags diag.List) bool {
	return slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == diag.BadDocument || d.Code == diag.BadUTF8 })
}

func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	s := stamp{size: info.Size(), modified: info.ModTime()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.device, s.inode = sys.Dev, sys.Ino
	}
	return s, nil
}

// diagnostics are those of all files.
func (d *directory) diagnostics() diag.List {
	var all diag.List
	for _, f := range d.files {
		for _, x := range f.diags {
			// Each file says so of itself; of a directory it is no news.
			if x.Code != diag.EmptyInput && x.Code != diag.SkippedKinds {
				all = append(all, x)
			}
		}
	}
	all.Sort()
	return all
}

// pass tells the inbox what differs from what it has.
func (d *directory) pass(b *inbox.Inbox) {
	now := make(map[identity]object, len(d.passed))
	for _, path := range slices.Sorted(maps.Keys(d.files)) {
		for id, o := range all(&d.files[path].set) {
			// Of two objects with one name the older counts, as in the compiler.
			if other, twice := now[id]; !twice || o.before(other) {
				now[id] = o
			}
		}
	}
	for id, o := range d.passed {
		if _, there := now[id]; !there {
			b.Delete(o.Object)
		}
	}
	for id, o := range now {
		if had, there := d.passed[id]; !there || had.Object != o.Object {
			b.Put(o.Sourced, time.Time{})
		}
	}
	d.passed = now
}

// hasNoLeases reports whether the error says that there are no leases to be had:
// the file system has none, or the file is somebody else's and CAP_LEASE is
// missing.
func hasNoLeases(err error) bool {
	for _, no := range []error{syscall.EINVAL, syscall.ENOTSUP, syscall.EACCES, syscall.ENOLCK, syscall.EPERM} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// settled is how long a file must have been left alone where nothing better is
// known.
const settled = 500 * time.Millisecond

// beingWritten reports whether somebody has the file open for writing: the kernel
// gives no lease for reading then (fcntl(2), F_SETLEASE).
func beingWritten(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false, fmt.Errorf("looking at %s: %w", path, err)
	}
	defer f.Close()
	err = lease(f)
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, syscall.EAGAIN):
		return true, nil
	case hasNoLeases(err):
		info, err := f.Stat()
		return err == nil && time.Since(info.ModTime()) < settled, err
	}
	return false, &fs.PathError{Op: "lease", Path: path, Err: err}
}
