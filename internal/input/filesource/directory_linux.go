package filesource

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// directory holds what was read from its files.
type directory struct {
	path  string
	files map[string]*file
	// skipped are entries that cannot be manifests, with the reasons.
	skipped map[string]string
	// unread are unreadable files, or the directory itself.
	unread map[string]trouble
	// twice are the diagnostics about objects in two files.
	twice diag.List
	// passed are the objects in the inbox.
	passed map[objects.Identity]object
	// allowEmpty accepts a directory that has no manifests any more.
	allowEmpty bool
	// spare reports that the kernel serves what files said before, so that the
	// source waits for files that are wrong from the start; nil means never. It is
	// called until the first reading is done.
	spare func() bool
	// refused are the wrong files that the source waits for.
	refused map[string]*file
}

// errEmptied and errWrong are the reasons for waiting for a directory and a file.
var (
	errEmptied = errors.New("the directory has no manifests any more; --allow-empty accepts that")
	errWrong   = errors.New("something in it is wrong, and the kernel serves what the files said before; --keep-going serves the rest of it")
)

// trouble is the reason why a file could not be read.
type trouble struct {
	err   error
	since time.Time
}

func newDirectory(path string) *directory {
	return &directory{path: path, files: make(map[string]*file), unread: make(map[string]trouble), refused: make(map[string]*file), passed: make(map[objects.Identity]object)}
}

// read reads new and changed files, and reports whether there were any.
// Unreadable files keep their previous content and are in unread.
func (d *directory) read(ctx context.Context) (changed bool) {
	before := d.unread
	d.unread = make(map[string]trouble)
	fail := func(path string, err error) {
		since := time.Now()
		if had, was := before[path]; was {
			since = had.since
		}
		d.unread[path] = trouble{err, since}
	}
	entries, err := manifest.Entries(d.path)
	if err == nil && len(entries) == 0 && len(d.files) > 0 && !d.allowEmpty {
		err = errEmptied
	}
	if err != nil {
		fail(d.path, err)
		return false
	}
	d.skipped = make(map[string]string)
	there := make(map[string]bool, len(entries))
	for _, e := range entries {
		there[e.Path] = true
		if e.Skip != "" {
			d.skipped[e.Path] = e.Skip
			continue
		}
		read, err := d.readEntry(ctx, e)
		if ctx.Err() != nil {
			return changed
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // otherwise it was just removed
			fail(e.Path, err)
		}
		changed = changed || read
	}
	return d.forget(there) || changed
}

// readEntry reads one file, and reports whether it is new or changed.
func (d *directory) readEntry(ctx context.Context, e manifest.Entry) (changed bool, err error) {
	if e.Err != nil {
		return false, e.Err
	}
	had, refused := d.files[e.Path], d.refused[e.Path]
	looked := had
	if looked == nil {
		looked = refused
	}
	fresh, err := readFile(ctx, e.Path, looked)
	switch {
	case err != nil:
		return false, err
	case fresh == nil && refused != nil:
		return false, errWrong
	case fresh == nil:
		return false, nil
	}
	delete(d.refused, e.Path)
	if had == nil && fresh.wrong() && d.spare != nil && d.spare() {
		d.refused[e.Path] = fresh
		return false, errWrong
	}
	if fresh.blank() && !d.allowEmpty {
		fresh.keepAll(had)
	} else {
		fresh.keep(had)
	}
	d.files[e.Path] = fresh
	return true, nil
}

// forget drops files that are gone. It checks each, because a listing may
// miss a file that is renamed at the same time.
func (d *directory) forget(there map[string]bool) (changed bool) {
	for path := range d.refused {
		if !there[path] {
			delete(d.refused, path)
		}
	}
	for path := range d.files {
		if there[path] {
			continue
		}
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			delete(d.files, path)
			changed = true
		} else {
			d.unread[path] = trouble{errBusy, time.Now()}
		}
	}
	return changed
}

// longOpen is how long a file may be open for writing without a report, once
// the agent serves.
const longOpen = 10 * time.Second

// findings returns the diagnostics about the files, sorted. Until the first
// reading is done, it reports at once what the source waits for.
func (d *directory) findings(starting bool) diag.List {
	all := slices.Clone(d.twice)
	for path, f := range d.files {
		if f.kept != "" {
			all.Add(diag.KeptVersion, ir.Origin{File: path}, f.kept)
		}
		for _, x := range f.diags {
			// Each file reports these about itself; for a directory they do not matter.
			if x.Code != diag.EmptyInput && x.Code != diag.SkippedKinds {
				all = append(all, x)
			}
		}
	}
	for path, why := range d.skipped {
		said := "it is " + why + " and is not read"
		if d.files[path] != nil {
			said = "it is " + why + " now; what the file said before stays"
		}
		all.Add(diag.SkippedFile, ir.Origin{File: path}, said)
	}
	for path, t := range d.unread {
		code := diag.UnreadFile
		if f := d.refused[path]; f != nil {
			all = append(all, f.diags...)
		}
		if errors.Is(t.err, errEmptied) {
			code = diag.NothingToServe
		}
		if errors.Is(t.err, errBusy) {
			if code = diag.OpenFile; !starting && time.Since(t.since) < longOpen {
				continue
			}
		}
		all.Add(code, ir.Origin{File: path}, reason(t.err)+d.meanwhile(path, starting))
	}
	all.Sort()
	return all
}

// meanwhile describes what holds until the file can be read.
func (d *directory) meanwhile(path string, starting bool) string {
	switch {
	case starting:
		return "; nothing is applied until it has been read"
	case path == d.path || d.files[path] != nil:
		return "; the objects that it had before stay"
	}
	return "; it was never read, so its objects are missing"
}

// reason is an error without the path, which the finding has already.
func reason(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return "cannot " + at.Op + " it: " + at.Err.Error()
	}
	return err.Error()
}

// pass updates the inbox with all differences.
func (d *directory) pass(b *inbox.Inbox) {
	var set objects.Set
	for _, path := range slices.Sorted(maps.Keys(d.files)) {
		set.Append(d.files[path].set)
	}
	d.twice = nil
	set.Deduplicate(&d.twice) // as planec's commands do
	now := maps.Collect(all(&set))
	for id, o := range d.passed {
		if _, there := now[id]; !there {
			b.Delete(o.Object)
		}
	}
	for id, o := range now {
		if had, there := d.passed[id]; !there || had.Object != o.Object {
			b.Put(o, time.Time{})
		}
	}
	d.passed = now
}
