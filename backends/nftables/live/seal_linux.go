package live

import (
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/text/nft"
)

// Seal returns the seal of the held rules, which must be those of a whole artifact. It is nil
// if they are others, or if another program has changed the ruleset since the generation was
// known, planec's tables or not.
func (l *Live) Seal(rules backends.File) (*Seal, error) {
	if l.generation == 0 {
		return nil, nil
	}
	w, err := ReadFile(rules)
	if err != nil {
		return nil, err
	}
	if same, err := l.is(w); !same || err != nil {
		return nil, err
	}
	return NewSeal(w, l.generation)
}

// is reports whether w is what is held.
func (l *Live) is(w *Wanted) (bool, error) {
	if l.unread != nil {
		held, err := l.unread.digest()
		if err != nil {
			return false, err
		}
		is, err := w.digest()
		return is == held && is != "", err
	}
	m, err := w.Model()
	return err == nil && diffModels(l.model, m).Empty(), err
}

// NewSeal returns the seal of the tables, which were equal to w at a generation. It returns
// nil if there was any transaction since, if planec did not create the tables itself, or if w has
// no text.
func NewSeal(w *Wanted, generation uint32) (*Seal, error) {
	now, err := identify()
	if err != nil || now.Generation != generation || !now.complete(w.model) {
		return nil, err
	}
	if now.Content, err = w.digest(); err != nil || now.Content == "" {
		return nil, err
	}
	return now, nil
}

// State returns the state of the kernel, unread, if the kernel still has what was sealed and if
// that is w; otherwise nil.
func (s *Seal) State(w *Wanted) (*State, error) {
	now, err := identify()
	if err != nil || s.Format != now.Format || s.Generation != now.Generation || !s.complete(w.model) || !now.complete(w.model) {
		return nil, err
	}
	for family, name := range now.Tables {
		if s.Tables[family] != name {
			return nil, nil
		}
	}
	if content, err := w.digest(); err != nil || content == "" || s.Content != content {
		return nil, err
	}
	return &State{Generation: now.Generation, sealed: w}, nil
}

// identify returns a seal without content. It names no table if one of them is odd, or if
// the ruleset changed meanwhile.
func identify() (*Seal, error) {
	c, err := dial()
	if err != nil {
		return nil, fmt.Errorf("identifying the nftables rules: %w", err)
	}
	defer c.close()
	s := &Seal{Format: sealFormat, Tables: make(map[string]string)}
	if s.Generation, err = c.begin(nil); err != nil {
		return nil, fmt.Errorf("identifying the nftables rules: %w", explain(err))
	}
	for _, f := range []nft.Family{nft.IPv4, nft.IPv6} {
		o := &observer{conn: c, family: f}
		t, err := o.find()
		if err != nil {
			return nil, fmt.Errorf("identifying the nftables rules: %w", explain(err))
		}
		if t != nil {
			s.Tables[f.String()] = t.nonce
		}
	}
	after, err := c.generation()
	if err != nil {
		return nil, fmt.Errorf("identifying the nftables rules: %w", explain(err))
	}
	if after != s.Generation || c.interrupted || s.Generation == 0 {
		s.Tables = nil
	}
	return s, nil
}
