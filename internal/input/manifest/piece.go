package manifest

import (
	"strings"

	"github.com/planec/planec/ir"
)

// typeMeta holds the type fields of an object.
type typeMeta struct{ apiVersion, kind string }

// isList reports whether the object is a list of others, as kubectl prints
// it (List) or the API server returns it (ServiceList).
func (t typeMeta) isList() bool { return strings.HasSuffix(t.kind, "List") }

// element is the type of list items without type fields.
func (t typeMeta) element() typeMeta {
	return typeMeta{t.apiVersion, strings.TrimSuffix(t.kind, "List")}
}

// piece is the text of one object, or of one YAML document, that was cut out
// of a file.
type piece struct {
	text []byte
	file string
	// line is the line of the text's first byte.
	line int
	yaml bool
	// item marks items of a list: in YAML the text is then a sequence of one.
	item bool
	// list is the type of an item without type fields; empty while unknown.
	list typeMeta
	// resolved reports that list will not change any more.
	resolved bool
}

// origin is the place of the piece before its object is known.
func (p *piece) origin(line int) ir.Origin { return ir.Origin{File: p.file, Line: line} }

// batch is a group of pieces for one worker.
type batch struct {
	pieces []piece
	count  int // of the pieces, also when they are decoded
	arena  []byte
	// list is the list of the pieces, or nil.
	list *list
	// ends marks the last batch of the list.
	ends bool
	out  outcome
	done chan struct{}
}

// batchSize is the amount of text in a full batch in bytes: large enough for
// cheap hand-overs, small enough for little waste.
const batchSize = 128 << 10

// list is a list whose items are decoded before its type is known.
type list struct {
	file string
	line int
	// meta is the type of the list, once known.
	meta typeMeta
	// drop reports that it is no list after all: the items are dropped.
	drop bool
	// broken reports that the text of the list could not be read to its end; the
	// items so far count.
	broken bool
	// document is the text of a whole YAML document, which is parsed as one if a
	// part of it cannot be parsed alone; nil if it is too large.
	document []byte
	// mustFallBack reports that the shape of the document was not recognised.
	mustFallBack bool
	items        outcome
}
