package suppress

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/planec/planec/internal/base/escape"
	"github.com/planec/planec/ir/diag"
)

const (
	apiVersion = "planec.io/v1alpha1"
	kind       = "LintBaseline"
)

// Baseline holds the errors and warnings that existed when it was written. It matches a
// finding by code, file, object and message. It ignores the line and the field, which
// move with other edits, and numbers of pods in the message, which change with other
// objects; the number of equal findings counts. A baseline has no notes, because they
// fail nothing and some change with every object.
type Baseline struct {
	// name returns the baseline's name of a file.
	name func(file string) string
	// left maps the keys of unused entries to the entries.
	left map[Entry]counted
}

// Entry is a finding in a baseline.
type Entry struct {
	Code    diag.Code `json:"code"`             // the code of the finding
	File    string    `json:"file,omitempty"`   // relative to the baseline's directory; "" without a file
	Object  string    `json:"object,omitempty"` // kind, namespace and name; "" without an object
	Message string    `json:"message"`          // the whole message
}

// counted is an entry of a file.
type counted struct {
	Entry
	// Count is the number of equal findings; 0 means 1.
	Count int `json:"count,omitempty"`
}

type document struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Findings   []counted `json:"findings"`
}

// NewBaseline makes a baseline of findings. name returns its name of a file.
func NewBaseline(diags diag.List, name func(file string) string) *Baseline {
	b := &Baseline{name: name, left: make(map[Entry]counted)}
	for _, d := range diags {
		if d.Severity() > diag.Info {
			b.add(b.entry(d), 1)
		}
	}
	return b
}

func (b *Baseline) add(e Entry, n int) {
	key := e.key()
	have, known := b.left[key]
	if !known {
		have.Entry = e
	}
	have.Count += n
	b.left[key] = have
}

// key is the part of the entry that is compared.
func (e Entry) key() Entry {
	e.Message = Stable(e.Message)
	return e
}

// Stable returns a message without the numbers in it, such as those of pods, so that
// it does not change with other objects.
func Stable(message string) string {
	words := strings.Split(message, " ")
	for i, w := range words {
		if w != "" && strings.Trim(w, "0123456789") == "" {
			words[i] = "#"
		}
	}
	return strings.Join(words, " ")
}

func (b *Baseline) entry(d diag.Diagnostic) Entry {
	e := Entry{Code: d.Code, Object: d.Origin.Object(), Message: d.Message}
	if d.Origin.File != "" {
		e.File = b.name(d.Origin.File)
	}
	return e
}

// ReadBaseline reads the output of [Baseline.Write].
func ReadBaseline(text []byte, name func(file string) string) (*Baseline, error) {
	var doc document
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&doc); err != nil {
		return nil, fmt.Errorf("it is no baseline: %w", err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("it is no baseline: there is more after the end of it")
	}
	if doc.APIVersion != apiVersion || doc.Kind != kind {
		return nil, fmt.Errorf("it is no baseline: want apiVersion %s and kind %s", apiVersion, kind)
	}
	b := &Baseline{name: name, left: make(map[Entry]counted)}
	for i, f := range doc.Findings {
		if f.Code == "" || f.Message == "" || f.Count < 0 {
			return nil, fmt.Errorf("findings[%d] has no code, no message or a negative count", i)
		}
		b.add(f.Entry, max(f.Count, 1))
	}
	return b, nil
}

// Write writes the baseline as JSON, sorted.
func (b *Baseline) Write(w io.Writer) error {
	doc := document{APIVersion: apiVersion, Kind: kind, Findings: []counted{}}
	for _, e := range b.left {
		doc.Findings = append(doc.Findings, e)
	}
	slices.SortFunc(doc.Findings, func(x, y counted) int { return x.compare(y.Entry) })
	return escape.JSON(w, doc)
}

func (e Entry) compare(other Entry) int {
	return cmp.Or(
		cmp.Compare(e.File, other.File), cmp.Compare(e.Object, other.Object),
		cmp.Compare(e.Code, other.Code), cmp.Compare(e.Message, other.Message),
	)
}

// Len returns the number of findings, including equal ones.
func (b *Baseline) Len() (n int) {
	for _, e := range b.left {
		n += e.Count
	}
	return n
}

// take uses up one entry for the finding and reports whether there was one.
func (b *Baseline) take(d diag.Diagnostic) bool {
	if b == nil || d.Severity() == diag.Info {
		return false
	}
	key := b.entry(d).key()
	have := b.left[key]
	if have.Count == 0 {
		return false
	}
	have.Count--
	b.left[key] = have
	return true
}

// Stale returns the entries that no finding used, sorted.
func (b *Baseline) Stale() []Entry {
	if b == nil {
		return nil
	}
	var out []Entry
	for _, e := range b.left {
		if e.Count > 0 {
			out = append(out, e.Entry)
		}
	}
	slices.SortFunc(out, Entry.compare)
	return out
}
