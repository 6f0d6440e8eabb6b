package applier

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/planec/planec/backends"
)

// header is the first line of a record; the files follow.
type header struct {
	Format  string `json:"planec-artifact"`
	Backend string `json:"backend"`
	// SHA256 is of all files together, in a record of [formerFormat].
	SHA256 string `json:"sha256,omitempty"`
	Files  []part `json:"files"`
	// Names are those of the entry.
	Names map[string]string `json:"names,omitempty"`
	Place string            `json:"place,omitempty"` // that of the entry
}

// part is a file, with the SHA-256 of its content.
type part struct {
	Name   string `json:"name"`
	Size   int    `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
}

// recordFormat has a digest of each file: others need these too, so they are computed anyway.
// formerFormat is read, because a rollback may go to what a planec before applied.
const (
	recordFormat = "2"
	formerFormat = "1"
)

// headerOf returns the first line of an artifact's record.
func headerOf(e Entry) ([]byte, error) {
	h := header{Format: recordFormat, Backend: e.Backend, Files: []part{}, Names: e.Names, Place: e.Place}
	for _, f := range e.Artifact.Files {
		sum := f.SHA256()
		h.Files = append(h.Files, part{f.Name, len(f.Data), hex.EncodeToString(sum[:])})
	}
	line, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("writing the record: %w", err)
	}
	size := int64(len(line) + 1)
	for _, f := range h.Files {
		size += int64(f.Size)
	}
	if size > maxRecord {
		return nil, fmt.Errorf("writing the record: it has %d bytes, more than the %d that are read again", size, maxRecord)
	}
	return append(line, '\n'), nil
}

// errOtherRecord says that a file is no record that this planec reads.
var errOtherRecord = errors.New("it is no record of this version")

// parseHeader reads the first line.
func parseHeader(line []byte) (h header, err error) {
	if json.Unmarshal(line, &h) != nil || h.Format != recordFormat && h.Format != formerFormat {
		return header{}, errOtherRecord
	}
	for _, p := range h.Files {
		if p.Size < 0 {
			return header{}, fmt.Errorf("it is damaged: %s has %d bytes", p.Name, p.Size)
		}
	}
	return h, nil
}

// check reads all files and compares their digests. Nothing may follow them.
func (h *header) check(r io.Reader) error {
	sum := sha256.New()
	for _, p := range h.Files {
		if _, err := io.CopyN(sum, r, int64(p.Size)); err != nil {
			return fmt.Errorf("it is damaged: %s is cut off", p.Name)
		}
		if h.Format == formerFormat {
			continue
		}
		if hex.EncodeToString(sum.Sum(nil)) != p.SHA256 {
			return fmt.Errorf("it is damaged: the digest of %s is another one", p.Name)
		}
		sum.Reset()
	}
	if n, err := io.Copy(io.Discard, r); n > 0 || err != nil {
		return errors.Join(errors.New("it is damaged: more follows than its files"), err)
	}
	if h.Format == formerFormat && hex.EncodeToString(sum.Sum(nil)) != h.SHA256 {
		return errors.New("it is damaged: the digest is another one")
	}
	return nil
}

// formerHeaderOf is headerOf of [formerFormat].
func formerHeaderOf(e Entry) ([]byte, error) {
	h := header{Format: formerFormat, Backend: e.Backend, Files: []part{}, Names: e.Names}
	sum := sha256.New()
	for _, f := range e.Artifact.Files {
		h.Files = append(h.Files, part{Name: f.Name, Size: len(f.Data)})
		sum.Write(f.Data)
	}
	h.SHA256 = hex.EncodeToString(sum.Sum(nil))
	line, err := json.Marshal(h)
	return append(line, '\n'), err
}

func writeEntry(w io.Writer, line []byte, e Entry) error {
	_, err := w.Write(line)
	for _, f := range e.Artifact.Files {
		if err == nil {
			_, err = w.Write(f.Data)
		}
	}
	return err
}

func copyFrom(path string, w io.Writer) error {
	f, _, err := open(path, maxRecord)
	if err != nil {
		return err
	}
	defer f.Close() // only read
	_, err = io.Copy(w, f)
	return err
}

// readHeader reads the first line and returns a reader for the rest of the
// record.
func readHeader(in io.Reader) (header, *bufio.Reader, error) {
	r := bufio.NewReader(in)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return header{}, nil, errOtherRecord
	}
	h, err := parseHeader(line)
	return h, r, err
}

// isWhole reports whether a file is a complete record. It does not load the
// file, which may be large.
func isWhole(path string) bool {
	f, _, err := open(path, maxRecord)
	if err != nil {
		return false
	}
	defer f.Close() // only read
	h, rest, err := readHeader(f)
	return err == nil && h.check(rest) == nil
}

// holds reports whether a file is a record of the rules of e, in either format, and returns the
// record's names, which may be others: names are no rules.
func holds(path string, e Entry) (names map[string]string, same bool) {
	f, _, err := open(path, maxRecord)
	if err != nil {
		return nil, false
	}
	defer f.Close() // only read
	h, _, err := readHeader(f)
	if err != nil {
		return nil, false
	}
	first := headerOf
	if h.Format == formerFormat {
		first = formerHeaderOf
	}
	e.Names, e.Artifact.Files = h.Names, inOrder(e.Artifact.Files, h.Files)
	line, err := first(e)
	if err != nil {
		return nil, false
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, false
	}
	c := comparer{with: bufio.NewReaderSize(f, compared), buf: make([]byte, compared)}
	if err := writeEntry(&c, line, e); err != nil {
		return nil, false
	}
	_, err = c.with.ReadByte()
	return h.Names, errors.Is(err, io.EOF)
}

// inOrder returns files in the order of a record, as far as it has them: a directory of compiled
// files has another one than a backend.
func inOrder(files []backends.File, order []part) []backends.File {
	place := make(map[string]int, len(order))
	for i, p := range order {
		place[p.Name] = i
	}
	return slices.SortedStableFunc(slices.Values(files), func(a, b backends.File) int { return cmp.Compare(place[a.Name], place[b.Name]) })
}

// compared is how many bytes of a record are compared at once. Records have megabytes.
const compared = 256 << 10

// comparer compares what is written with what it reads, and fails at a difference.
type comparer struct {
	with *bufio.Reader
	buf  []byte
}

var errDiffers = errors.New("it differs")

func (c *comparer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		got := c.buf[:min(len(p), len(c.buf))]
		if _, err := io.ReadFull(c.with, got); err != nil {
			return 0, err
		}
		if !bytes.Equal(got, p[:len(got)]) {
			return 0, errDiffers
		}
		p = p[len(got):]
	}
	return n, nil
}

func decode(data []byte) (Entry, error) {
	line, body, ok := bytes.Cut(data, []byte("\n"))
	if !ok {
		return Entry{}, errOtherRecord
	}
	h, err := parseHeader(line)
	if err == nil {
		err = h.check(bytes.NewReader(body))
	}
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Backend: h.Backend, Names: h.Names, Place: h.Place}
	for _, p := range h.Files {
		e.Artifact.Files = append(e.Artifact.Files, backends.NewFile(p.Name, body[:p.Size]))
		body = body[p.Size:]
	}
	return e, nil
}
