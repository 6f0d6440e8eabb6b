package applier

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/planec/planec/backends"
)

// Record keeps artifacts that were good, in a directory of its own. Each is one
// file, replaced by renaming, with a digest that says whether it is whole.
type Record struct{ dir string }

// NewRecord keeps its files in dir, which is made when it is needed.
func NewRecord(dir string) *Record { return &Record{dir: dir} }

// Entry is an artifact and the backend it is for.
type Entry struct {
	Backend  string            // the name of the backend
	Artifact backends.Artifact // the files that were applied
	// Names are of frontends that the artifact has no names for, by their places as
	// [backends.ServedFrontend] has them; they are for people only.
	Names map[string]string
}

// The files of a record.
const (
	lastFile     = "last.artifact"
	previousFile = "previous.artifact"
	// nextFile is staged.
	nextFile = "next.artifact"
	// refusedFile is there when the last apply was taken back.
	refusedFile = "refused"
)

// ErrNoRecord is what reading a record that is not there gives; the error that wraps
// it names the directory, since another --state-dir is the usual cause.
var ErrNoRecord = errors.New("nothing was applied yet")

// Last returns the artifact that was applied last.
func (r *Record) Last() (Entry, error) { return r.read(lastFile) }

// Previous returns the one before it.
func (r *Record) Previous() (Entry, error) { return r.read(previousFile) }

// Staged is a record that is written and does not count yet: what can fail, as on a
// full disk, has gone well before anything is decided.
type Staged struct {
	record      *Record
	same        bool
	fromNothing bool
}

// stage writes what is to be the last artifact; the last is then the previous one. An
// artifact that is the last already changes nothing, so that applying twice does not
// forget what to go back to. fromNothing says that the kernel had nothing of the backend
// before, which is then what there is to go back to where there is no last artifact.
func (r *Record) stage(e Entry, fromNothing bool) (*Staged, error) {
	line, err := headerOf(e)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of records: %w", err)
	}
	s := &Staged{record: r, same: holds(filepath.Join(r.dir, lastFile), line, e), fromNothing: fromNothing}
	if s.same {
		return s, nil
	}
	return s, r.write(nextFile, func(w io.Writer) error { return writeEntry(w, line, e) })
}

// Commit makes it count.
func (s *Staged) Commit() error {
	r := s.record
	if s.same {
		return r.remove(refusedFile)
	}
	path := filepath.Join(r.dir, lastFile)
	var err error
	switch {
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

// Discard forgets it.
func (s *Staged) Discard() error {
	if s.same {
		return nil
	}
	return s.record.remove(nextFile)
}

// backend is the one that the last artifact is for.
func (r *Record) backend() (string, error) {
	f, err := os.Open(filepath.Join(r.dir, lastFile))
	if err != nil {
		return "", err
	}
	defer f.Close() // only read
	h, _, err := readHeader(f)
	return h.Backend, err
}

// Forget removes the record.
func (r *Record) Forget() error {
	for _, name := range []string{lastFile, previousFile, nextFile, refusedFile} {
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

// writeNothing makes the previous artifact none: an entry without a backend.
func (r *Record) writeNothing() error {
	line, err := headerOf(Entry{})
	if err != nil {
		return err
	}
	return r.write(previousFile, func(w io.Writer) error { return writeEntry(w, line, Entry{}) })
}

// refuse notes that what was applied last was taken back: the last artifact is what
// the kernel has again.
func (r *Record) refuse() error {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return fmt.Errorf("making the directory of records: %w", err)
	}
	return r.write(refusedFile, func(io.Writer) error { return nil })
}

// refused reports whether it was.
func (r *Record) refused() bool {
	_, err := os.Stat(filepath.Join(r.dir, refusedFile))
	return err == nil
}

func (r *Record) read(name string) (Entry, error) {
	data, err := os.ReadFile(filepath.Join(r.dir, name))
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

// write replaces a file: what is read is the old content or the new, whatever
// happens in between.
func (r *Record) write(name string, content func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(r.dir, name+".*")
	if err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name()) // the error is the one that matters
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

// syncDir makes a rename last.
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
