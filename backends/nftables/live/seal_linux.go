package live

import (
	"fmt"

	"github.com/planec/planec/internal/text/nft"
)

// Seal returns the seal of the held rules, which must be those of a whole artifact. It is nil
// if they are others, or if another program has changed the ruleset since the generation was
// known, planec's tables or not.
func (l *Live) Seal(text []byte) (*Seal, error) {
	if l.generation == 0 {
		return nil, nil
	}
	m, err := Parse(text)
	if err != nil || !diffModels(l.model, m).Empty() {
		return nil, err
	}
	return NewSeal(m, l.generation)
}

// NewSeal returns the seal of the tables, which were equal to m at a generation. It returns
// nil if there was any transaction since, or if planec did not create the tables itself.
func NewSeal(m *Model, generation uint32) (*Seal, error) {
	now, err := identify()
	if err != nil || now.Generation != generation || !now.complete(m) {
		return nil, err
	}
	now.Content = m.digest()
	return now, nil
}

// State returns m as the state of the kernel if the kernel still has what was sealed and if
// that is m; otherwise nil.
func (s *Seal) State(m *Model) (*State, error) {
	now, err := identify()
	if err != nil || s.Format != now.Format || s.Generation != now.Generation || !s.complete(m) || !now.complete(m) {
		return nil, err
	}
	for family, name := range now.Tables {
		if s.Tables[family] != name {
			return nil, nil
		}
	}
	if s.Content != m.digest() {
		return nil, nil
	}
	return &State{Model: m, Generation: now.Generation}, nil
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
