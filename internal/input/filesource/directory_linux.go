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

// directory is what was read of the files of one.
type directory struct {
	path  string
	files map[string]*file
	// skipped are entries that are nothing to read, and why.
	skipped map[string]string
	// unread are files, or the directory itself, that could not be read.
	unread map[string]trouble
	// twice is what there is to say about objects that stand in two files.
	twice diag.List
	// passed are the objects that the inbox has.
	passed map[objects.Identity]object
	// allowEmpty takes a directory that has no manifests any more for what it says.
	allowEmpty bool
	// spare reports whether the kernel serves what files said before, so that a file
	// which is wrong from the start is waited for; nil is never. It is asked until
	// the first reading is done.
	spare func() bool
	// refused are the files that are waited for since they are wrong.
	refused map[string]*file
}

// errEmptied and errWrong say why a directory and a file are waited for.
var (
	errEmptied = errors.New("the directory has no manifests any more; --allow-empty accepts that")
	errWrong   = errors.New("something in it is wrong, and the kernel serves what the files said before; --keep-going serves the rest of it")
)

// trouble is why a file could not be read.
type trouble struct {
	err   error
	since time.Time
}

func newDirectory(path string) *directory {
	return &directory{path: path, files: make(map[string]*file), unread: make(map[string]trouble), refused: make(map[string]*file), passed: make(map[objects.Identity]object)}
}

// read reads the files that are new or changed, and reports whether any was. What
// cannot be read stays what it was, and is in unread.
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
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // else it went just now
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

// forget drops files that are gone. A listing may miss a file that is renamed
// meanwhile, so that each is looked for.
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

// longOpen is how long a file may be open for writing before that is worth a
// word, once the agent serves.
const longOpen = 10 * time.Second

// findings is what there is to say about the files, sorted. While the first
// reading is not done, what it waits for is said at once.
func (d *directory) findings(starting bool) diag.List {
	all := slices.Clone(d.twice)
	for path, f := range d.files {
		if f.kept != "" {
			all.Add(diag.KeptVersion, ir.Origin{File: path}, f.kept)
		}
		for _, x := range f.diags {
			// Each file says so of itself; of a directory it is no news.
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

// meanwhile says what holds until the file can be read.
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

// pass tells the inbox what differs from what it has.
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
