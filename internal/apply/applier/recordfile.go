package applier

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/planec/planec/backends"
)

// header is the first line of a record; the files follow.
type header struct {
	Format  string `json:"planec-artifact"`
	Backend string `json:"backend"`
	SHA256  string `json:"sha256"`
	Files   []part `json:"files"`
	// Names are those of the entry.
	Names map[string]string `json:"names,omitempty"`
}

type part struct {
	Name string `json:"name"`
	Size int    `json:"size"`
}

const recordFormat = "1"

// headerOf returns the first line of an artifact's record.
func headerOf(e Entry) ([]byte, error) {
	h := header{Format: recordFormat, Backend: e.Backend, Files: []part{}, Names: e.Names}
	sum := sha256.New()
	for _, f := range e.Artifact.Files {
		h.Files = append(h.Files, part{f.Name, len(f.Data)})
		sum.Write(f.Data)
	}
	h.SHA256 = hex.EncodeToString(sum.Sum(nil))
	line, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("writing the record: %w", err)
	}
	return append(line, '\n'), nil
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
	f, err := os.Open(path)
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
	var h header
	if err == nil {
		err = json.Unmarshal(line, &h)
	}
	if err != nil || h.Format != recordFormat {
		return header{}, nil, fmt.Errorf("it is no record of this version")
	}
	return h, r, nil
}

// isWhole reports whether a file is a complete record. It does not load the
// file, which may be large.
func isWhole(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() // only read
	h, rest, err := readHeader(f)
	if err != nil {
		return false
	}
	sum := sha256.New()
	_, err = io.Copy(sum, rest)
	return err == nil && hex.EncodeToString(sum.Sum(nil)) == h.SHA256
}

// holds reports whether a file is the record of e.
func holds(path string, line []byte, e Entry) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() // only read
	c := comparer{with: bufio.NewReaderSize(f, compared), buf: make([]byte, compared)}
	if err := writeEntry(&c, line, e); err != nil {
		return false
	}
	_, err = c.with.ReadByte()
	return errors.Is(err, io.EOF)
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
	var h header
	if err := json.Unmarshal(line, &h); !ok || err != nil || h.Format != recordFormat {
		return Entry{}, fmt.Errorf("it is no record of this version")
	}
	if digest(body) != h.SHA256 {
		return Entry{}, fmt.Errorf("it is damaged: the digest is another one")
	}
	e := Entry{Backend: h.Backend, Names: h.Names}
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
