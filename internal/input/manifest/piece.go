package manifest

import (
	"strings"

	"github.com/planec/planec/ir"
)

// typeMeta is what an object says it is.
type typeMeta struct{ apiVersion, kind string }

// isList reports whether the object is a collection of others, as kubectl
// prints (List) and the API server returns (ServiceList).
func (t typeMeta) isList() bool { return strings.HasSuffix(t.kind, "List") }

// element is what the items of a list are that do not say it themselves.
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
	// item is set for the items of a list: in YAML the text is then a sequence
	// of one.
	item bool
	// list is what an item is that does not say so; empty while that is unknown.
	list typeMeta
	// resolved is set when list is all that will ever be known.
	resolved bool
}

// origin is the place of the piece before anything is known of its object.
func (p *piece) origin(line int) ir.Origin { return ir.Origin{File: p.file, Line: line} }

// batch is some pieces that one worker decodes together.
type batch struct {
	pieces []piece
	arena  []byte
	// list is the list that the pieces are items of, or nil.
	list *list
	// ends is set in the batch that ends the list.
	ends bool
	out  outcome
	done chan struct{}
}

// batchSize is how much text a batch holds before it is sent off: enough to
// make the hand-over cheap, little enough that few of them are small change.
const batchSize = 128 << 10

// list is one collection whose items are decoded before it is known what it is.
type list struct {
	file string
	line int
	// meta is what the list turned out to be.
	meta typeMeta
	// drop is set when it turned out to be no list: the items are forgotten.
	drop bool
	// broken is set when the text of the list itself could not be read to its
	// end; the items that were found stand.
	broken bool
	// document is the text of a whole YAML document that has to be read in
	// one when a part of it cannot be read alone; nil when it is too large.
	document []byte
	// mustFallBack is set when the shape of the document was not recognised.
	mustFallBack bool
	items        outcome
}
