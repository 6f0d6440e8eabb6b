package live

import (
	"hash/maphash"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/text/nft"
)

// Wanted is what a text of the nftables backend says. Its elements, which are nearly all of it, are
// read when something needs them: a restart over right rules does not, until something changes.
type Wanted struct {
	// model has the elements of as many tables as are filled.
	model  *Model
	tables []*builder
	filled int
	// file is the text; a model that was made of no text has none.
	file backends.File
	// content is [Wanted.digest], once it is known.
	content string
}

// Read reads all of the output of the nftables backend but the elements. Any other text is
// an error that names the line; the text must not change.
func Read(text []byte) (*Wanted, error) { return ReadFile(backends.File{Data: text}) }

// ReadFile is [Read] of a file, whose digest a seal needs.
func ReadFile(f backends.File) (*Wanted, error) {
	w, err := readText(f.Data, maphash.MakeSeed(), known{})
	if err == nil {
		w.file = f
	}
	return w, err
}

// readText is Read with sharing.
func readText(text []byte, seed maphash.Seed, shared known) (*Wanted, error) {
	ruleset, err := nft.Parse(text)
	if err != nil {
		return nil, err
	}
	w := &Wanted{model: &Model{seed: seed}}
	for _, source := range ruleset.Tables {
		b := &builder{source: source, table: newTable(source.Family), seed: seed, shared: shared.elements, rules: make(map[string]*Rule)}
		if shared.model != nil {
			b.held = shared.model.Table(b.table.Family)
		}
		if err := b.outline(); err != nil {
			return nil, err
		}
		w.model.Tables = append(w.model.Tables, b.table)
		w.tables = append(w.tables, b)
	}
	return w, nil
}

// WantedAs returns what a model says. No seal is made of it, because it has no text.
func WantedAs(m *Model) *Wanted { return &Wanted{model: m} }

// Model returns all that the text says, without a part of the text.
func (w *Wanted) Model() (*Model, error) {
	for ; w.filled < len(w.tables); w.filled++ {
		if err := w.tables[w.filled].fill(); err != nil {
			return nil, err
		}
	}
	return w.model, nil
}

// read reports whether the model is complete.
func (w *Wanted) read() bool { return w.filled == len(w.tables) }

// Complete reads what [Wanted.Model] would.
func (w *Wanted) Complete() error {
	_, err := w.Model()
	return err
}

// Served is what the model serves, once that is complete.
func (w *Wanted) Served() backends.Served { return w.model.Served() }
