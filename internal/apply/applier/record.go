package applier

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/planec/planec/backends"
)

// Record keeps applied artifacts in its own directory. Each is one file,
// replaced by renaming, with a digest that proves it complete.
type Record struct{ dir string }

// NewRecord keeps its files in dir, which is created when needed.
func NewRecord(dir string) *Record { return &Record{dir: dir} }

// Entry is an artifact with its backend.
type Entry struct {
	Backend  string            // the name of the backend; "" is no rules
	Artifact backends.Artifact // the files for the kernel
	// Names maps the places of frontends, as in [backends.ServedFrontend], to names
	// that the artifact lacks. They are for people only.
	Names map[string]string
	// Place is where the backend's programs were put, a cgroup; "" is not known, or there are
	// none.
	Place string
}

// The files of a record.
const (
	lastFile     = "last.artifact"
	previousFile = "previous.artifact"
	// nextFile is the staged record.
	nextFile = "next.artifact"
	// refusedFile exists if the last apply was reverted.
	refusedFile = "refused"
)

// ErrNoRecord says that there is no record. The wrapping error names the directory,
// because another --state-dir is the usual cause.
var ErrNoRecord = errors.New("nothing was applied yet")

// Last returns the last applied entry.
func (r *Record) Last() (Entry, error) { return r.read(lastFile) }

// Previous returns the entry before the last.
func (r *Record) Previous() (Entry, error) { return r.read(previousFile) }

// Staged is a written record that does not count yet: everything that can fail, for
// example on a full disk, has succeeded before the decision.
type Staged struct {
	record *Record
	// same says that the last record has the rules already, and named that it has other names.
	same, named bool
	fromNothing bool
}

// stage writes the next last artifact; the current one becomes the previous one. Staging
// the current last artifact again changes nothing but names, so that applying twice keeps
// the previous one. fromNothing says that the kernel had no rules of the backend; without a
// last artifact, that becomes the previous state.
func (r *Record) stage(e Entry, fromNothing bool) (*Staged, error) {
	line, err := headerOf(e)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of records: %w", err)
	}
	r.sweep()
	s := &Staged{record: r, fromNothing: fromNothing}
	var names map[string]string
	names, s.same = holds(filepath.Join(r.dir, lastFile), e)
	// An entry of compiled files, or of the agent, has none.
	s.named = len(e.Names) > 0 && !maps.Equal(e.Names, names)
	if s.same && !s.named {
		return s, nil
	}
	return s, r.write(nextFile, func(w io.Writer) error { return writeEntry(w, line, e) })
}

// Commit makes the staged record count.
func (s *Staged) Commit() error {
	r := s.record
	if s.same && !s.named {
		return r.remove(refusedFile)
	}
	path := filepath.Join(r.dir, lastFile)
	var err error
	switch {
	case s.same:
		// The entry before stays the one before.
	case isWhole(path):
		err = r.write(previousFile, func(w io.Writer) error { return copyFrom(path, w) })
	case s.fromNothing:
		err = r.writeNothing()
	}
	if err == nil {
		err = r.remove(refusedFile)
	}
	if err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(r.dir, nextFile), path); err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	return syncDir(r.dir)
}

// Discard removes the staged record.
func (s *Staged) Discard() error {
	if s.same && !s.named {
		return nil
	}
	return s.record.remove(nextFile)
}

// backend is the backend of the last artifact.
func (r *Record) backend() (string, error) {
	f, _, err := open(filepath.Join(r.dir, lastFile), maxRecord)
	if err != nil {
		return "", err
	}
	defer f.Close() // only read
	h, _, err := readHeader(f)
	return h.Backend, err
}

// sweep removes what processes have left that were killed while they wrote: a process that is
// killed again and again would fill the disk. Errors do not matter: the next time finds it again.
func (r *Record) sweep() {
	files, _ := os.ReadDir(r.dir)
	for _, f := range files {
		for _, name := range []string{lastFile, previousFile, nextFile, refusedFile} {
			// os.CreateTemp adds a number.
			number, ours := strings.CutPrefix(f.Name(), name+".")
			if _, err := strconv.ParseUint(number, 10, 64); ours && err == nil {
				_ = os.Remove(filepath.Join(r.dir, f.Name()))
			}
		}
	}
}

// Forget removes the record.
func (r *Record) Forget() error {
	r.sweep()
	for _, name := range []string{lastFile, previousFile, nextFile, refusedFile, sealFile} {
		if err := r.remove(name); err != nil {
			return err
		}
	}
	return nil
}

func (r *Record) remove(name string) error {
	if err := os.Remove(filepath.Join(r.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting what was applied: %w", err)
	}
	return nil
}

// writeNothing makes the previous entry empty: an entry without a backend.
func (r *Record) writeNothing() error {
	line, err := headerOf(Entry{})
	if err != nil {
		return err
	}
	return r.write(previousFile, func(w io.Writer) error { return writeEntry(w, line, Entry{}) })
}

// refuse notes that the last change was reverted: the kernel has the last recorded
// artifact again.
func (r *Record) refuse() error {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return fmt.Errorf("making the directory of records: %w", err)
	}
	return r.write(refusedFile, func(io.Writer) error { return nil })
}

// refused reports whether the last change was reverted.
func (r *Record) refused() bool {
	_, err := os.Stat(filepath.Join(r.dir, refusedFile))
	return err == nil
}

func (r *Record) read(name string) (Entry, error) {
	data, err := readFile(filepath.Join(r.dir, name), maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, fmt.Errorf("%w: the state directory %s has no record", ErrNoRecord, r.dir)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("reading the record: %w", err)
	}
	e, err := decode(data)
	if err != nil {
		return e, fmt.Errorf("record %s: %w", filepath.Join(r.dir, name), err)
	}
	return e, nil
}

// write replaces a file atomically: readers see the old or the new content,
// whatever happens in between.
func (r *Record) write(name string, content func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(r.dir, name+".*")
	if err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name()) // the first error is the relevant one
		}
	}()
	err = content(f)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(r.dir, name))
	}
	if err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	return syncDir(r.dir)
}

// syncDir makes a rename durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	return nil
}
