package live

import (
	"context"
	"errors"
)

// Snapshot reads planec's objects from the kernel, for a later [Kernel.Restore].
// It returns nil if there are none.
func (k *Kernel) Snapshot(ctx context.Context) (*State, error) {
	rules, err := k.rules.Observe(ctx)
	if err != nil {
		return nil, err
	}
	if !OwnRules(rules) && len(owned(rules)) == 0 {
		return nil, nil // do not load the module only to look
	}
	s, err := k.Observe(ctx)
	if errors.Is(err, ErrNoIPVS) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ours, journal := owned(s.rules), readJournal(s.rules)
	for key := range s.services {
		if !ours[key] && !journal[key] {
			delete(s.services, key)
		}
	}
	s.rules = s.rules.Settled()
	return s, nil
}

// Restore brings the kernel back to a snapshot.
func (k *Kernel) Restore(ctx context.Context, want *State) error {
	have, err := k.Observe(ctx)
	if err != nil {
		return err
	}
	return k.Apply(ctx, NewPlan(have, want))
}

// FromNothing reports whether the plan was made for a kernel without objects of planec.
func (p *Plan) FromNothing() bool { return p.rules.FromNothing() }
