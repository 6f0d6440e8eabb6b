package dataplane

import (
	"context"
	"encoding/json"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables/live"
	"github.com/planec/planec/internal/apply/applier"
)

// sealing is a kernel with rules of nftables, which it can take for granted instead of
// reading them where a [live.Seal] proves what they are.
type sealing[S shown, M model] interface {
	// observeFor is observe for a comparison with a model. Rules that are known are not read;
	// nil are not known.
	observeFor(ctx context.Context, want M, rules *live.State) (S, error)
	// rulesOf and rulesFor are the rules of a state and of a model.
	rulesOf(have S) *live.State
	rulesFor(want M) *live.Wanted
	// rulesIn is the file of the rules in an artifact.
	rulesIn(a backends.Artifact) backends.File
}

// making is a kernel whose plans put rules of nftables into it.
type making[P steps] interface {
	// madeBy is what the rules of an applied plan made; nil is not known.
	madeBy(p P) *live.Made
}

// holdsRules is a held state with rules of nftables.
type holdsRules interface{ rules() *live.Live }

// seals are what is known of a plane's rules of nftables beside the held state.
type seals struct {
	// trusted is what an earlier process left, for the next plan.
	trusted *live.Seal
	// made is what the plan before made, for the comparison that follows it.
	made *live.Made
	// generation is the ruleset's at which the last plan was empty, so that the kernel had
	// all of rules; 0 if it was not.
	generation uint32
	rules      *live.Wanted
}

var (
	_ applier.Sealer = nftablesPlane{}
	_ applier.Sealer = ebpfPlane{}
)

// Trust implements [applier.Sealer].
func (s *seals) Trust(seal []byte) {
	s.trusted = nil
	if t := new(live.Seal); json.Unmarshal(seal, t) == nil {
		s.trusted = t
	}
}

// look reads the kernel, except what the trusted seal proves to be as wanted. A seal is for
// one plan: what this process finds afterwards it compares in full.
func (d *plane[S, M, P]) look(ctx context.Context, want M) (S, error) {
	trusted, made := d.trusted, d.made
	d.trusted, d.made = nil, nil
	k, ok := d.kernel.(sealing[S, M])
	if !ok {
		return d.observe(ctx)
	}
	var rules *live.State
	if trusted != nil && k.rulesFor(want) != nil {
		var err error
		if rules, err = trusted.State(k.rulesFor(want)); err != nil {
			rules = nil // reading the rules tells the same error, if it is still one
		}
	}
	if rules == nil && made != nil {
		var err error
		if rules, err = live.ObserveMade(ctx, made); err != nil {
			return *new(S), err
		}
	}
	return k.observeFor(ctx, want, rules)
}

// put executes a plan, and keeps what is known of the rules that it made.
func (d *plane[S, M, P]) put(ctx context.Context, p P) error {
	d.made = nil
	err := d.apply(ctx, p)
	if k, ok := d.kernel.(making[P]); ok && err == nil {
		d.made = k.madeBy(p)
	}
	return meanwhile(err)
}

// compared notes at which generation the kernel had everything.
func (d *plane[S, M, P]) compared(have S, want M, p P) {
	d.generation, d.rules = 0, nil
	if k, ok := d.kernel.(sealing[S, M]); ok && len(p.Steps()) == 0 {
		d.generation, d.rules = k.rulesOf(have).Generation, k.rulesFor(want)
	}
}

// knowGeneration tells the held state the generation of the plan before.
func (d *plane[S, M, P]) knowGeneration() {
	if h, ok := d.held.(holdsRules); ok {
		h.rules().KnowGeneration(d.generation)
	}
	d.generation, d.rules = 0, nil
}

// Seal implements [applier.Sealer].
func (d *plane[S, M, P]) Seal(have backends.Artifact) ([]byte, error) {
	k, ok := d.kernel.(sealing[S, M])
	if !ok {
		return nil, nil
	}
	seal, err := d.seal(k, have)
	if seal == nil || err != nil {
		return nil, err
	}
	return json.Marshal(seal)
}

func (d *plane[S, M, P]) seal(k sealing[S, M], have backends.Artifact) (*live.Seal, error) {
	if d.generation != 0 {
		m, err := d.read(have)
		if err != nil || k.rulesFor(m) != d.rules || d.rules == nil {
			return nil, err
		}
		return live.NewSeal(d.rules, d.generation)
	}
	if h, ok := d.held.(holdsRules); ok {
		return h.rules().Seal(k.rulesIn(have))
	}
	return nil, nil
}
