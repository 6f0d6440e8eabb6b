package live

import (
	"context"
	"errors"
)

// Snapshot reads what is ours of the kernel, to go back to; it is nil where nothing is ours.
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

// FromNothing reports whether the plan was made for a kernel that had nothing of planec.
func (p *Plan) FromNothing() bool { return p.rules.FromNothing() }
