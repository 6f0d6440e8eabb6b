package applier

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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
	Backend  string
	Artifact backends.Artifact
}

// The files of a record.
const (
	lastFile     = "last.artifact"
	previousFile = "previous.artifact"
)

// errNoRecord is what reading a record that is not there gives.
var errNoRecord = errors.New("nothing was applied yet")

// Last returns the artifact that was applied last.
func (r *Record) Last() (Entry, error) { return r.read(lastFile) }

// Previous returns the one before it.
func (r *Record) Previous() (Entry, error) { return r.read(previousFile) }

// Put makes e the last artifact and the last the previous one. An artifact that
// is the last already changes nothing, so that applying twice does not forget
// what to go back to.
func (r *Record) Put(e Entry) error {
	data, err := encode(e)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return fmt.Errorf("making the directory of records: %w", err)
	}
	last, err := os.ReadFile(filepath.Join(r.dir, lastFile))
	if err == nil && bytes.Equal(last, data) {
		return nil
	}
	if _, broken := decode(last); err == nil && broken == nil {
		if err := r.write(previousFile, last); err != nil {
			return err
		}
	}
	return r.write(lastFile, data)
}

// Forget removes the record.
func (r *Record) Forget() error {
	for _, name := range []string{lastFile, previousFile} {
		if err := os.Remove(filepath.Join(r.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forgetting what was applied: %w", err)
		}
	}
	return nil
}

func (r *Record) read(name string) (Entry, error) {
	data, err := os.ReadFile(filepath.Join(r.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, errNoRecord
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
func (r *Record) write(name string, data []byte) (err error) {
	f, err := os.CreateTemp(r.dir, name+".*")
	if err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name()) // the error is the one that matters
		}
	}()
	_, err = f.Write(data)
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

// header is the first line of a record; the files follow one after the other.
type header struct {
	Format  string `json:"planec-artifact"`
	Backend string `json:"backend"`
	SHA256  string `json:"sha256"`
	Files   []part `json:"files"`
}

type part struct {
	Name string `json:"name"`
	Size int    `json:"size"`
}

const recordFormat = "1"

func encode(e Entry) ([]byte, error) {
	h := header{Format: recordFormat, Backend: e.Backend, Files: []part{}}
	var body bytes.Buffer
	for _, f := range e.Artifact.Files {
		h.Files = append(h.Files, part{f.Name, len(f.Data)})
		body.Write(f.Data)
	}
	h.SHA256 = digest(body.Bytes())
	line, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("writing the record: %w", err)
	}
	return append(append(line, '\n'), body.Bytes()...), nil
}

func decode(data []byte) (Entry, error) {
	line, body, ok := bytes.Cut(data, []byte("\n"))
	var h header
	if err := json.Unmarshal(line, &h); !ok || err != nil || h.Format != recordFormat {
		return Entry{}, fmt.Errorf("it is no record of this version")
	}
	if digest(body) != h.SHA256 {
		return Entry{}, fmt.Errorf("it is damaged: the digest is another one")
	}
	e := Entry{Backend: h.Backend}
	for _, p := range h.Files {
		if p.Size < 0 || p.Size > len(body) {
			return Entry{}, fmt.Errorf("it is damaged: %s is cut off", p.Name)
		}
		e.Artifact.Files = append(e.Artifact.Files, backends.File{Name: p.Name, Data: body[:p.Size]})
		body = body[p.Size:]
	}
	return e, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
