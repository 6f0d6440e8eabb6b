package manifest

import "sync"

// Memo keeps what texts of objects were decoded to, for a program that reads nearly the same
// input again and again: a page that compiles while one types. A text that was read before at
// the same place of the same file gives the objects and findings that it gave then, which
// is right because objects are shared and never changed. It is safe for concurrent use. A nil
// Memo keeps nothing.
type Memo struct {
	mu      sync.Mutex
	schemas *schemas
	// young has what was asked for lately, and old what was before that: when young is
	// full, old is given up.
	young, old map[memoKey]*outcome
	size       int // the bytes of young's texts
}

// NewMemo returns an empty Memo. It holds at most 32 MiB of text, with its objects.
func NewMemo() *Memo { return &Memo{schemas: newSchemas(), young: make(map[memoKey]*outcome)} }

// memoHalf is how many bytes of text each of the two halves of a Memo has.
const memoHalf = 16 << 20

// memoKey is all that the outcome of a piece depends on.
type memoKey struct {
	wanted
	text, file     string
	line           int
	yaml           bool
	item, resolved bool
	list           typeMeta
}

// decode decodes a piece, or adds what it was decoded to before.
func (m *Memo) decode(d *decoder, out *outcome, p *piece) {
	if m == nil {
		d.piece(out, p)
		return
	}
	key := memoKey{d.wanted, string(p.text), p.file, p.line, p.yaml, p.item, p.resolved, p.list}
	made := m.find(&key)
	if made == nil {
		own := *p
		own.text = []byte(key.text) // the piece's is part of a larger text
		made = &outcome{}
		d.piece(made, &own)
		m.keep(&key, made)
	}
	out.add(made)
}

// find returns the outcome of a piece, or nil.
func (m *Memo) find(key *memoKey) *outcome {
	m.mu.Lock()
	defer m.mu.Unlock()
	if made := m.young[*key]; made != nil {
		return made
	}
	made := m.old[*key]
	if made != nil {
		m.add(key, made)
	}
	return made
}

func (m *Memo) keep(key *memoKey, made *outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(key, made)
}

func (m *Memo) add(key *memoKey, made *outcome) {
	if m.size += len(key.text); m.size > memoHalf {
		m.young, m.old, m.size = make(map[memoKey]*outcome), m.young, len(key.text)
	}
	m.young[*key] = made
}

// schemasOf returns the schemas to use with a Memo, which may be nil.
func (m *Memo) schemasOf() *schemas {
	if m == nil {
		return newSchemas()
	}
	return m.schemas
}
