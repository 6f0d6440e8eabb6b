package applier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Snapshot is the previous state of some backends in the kernel.
type Snapshot struct{ parts []kept }

// kept is the state of one backend; restore is nil if it had no rules.
type kept struct {
	backend string
	restore func(context.Context) error
}

// Snapshot reads everything that an apply for a backend may change: its own rules, and
// those of other backends, which an apply removes, or changes as part of its own.
func (a *Applier) Snapshot(ctx context.Context, backend string) (*Snapshot, error) {
	names := slices.DeleteFunc(a.Backends(), func(name string) bool { return name == backend })
	if _, err := a.dataplane(backend); err != nil {
		return nil, err
	}
	s := &Snapshot{}
	for _, name := range append([]string{backend}, names...) {
		k := a.dataplanes[name]
		restore, err := k.Snapshot(ctx)
		for try := 1; err != nil && passing(err) && try < patient.tries && ctx.Err() == nil; try++ {
			time.Sleep(patient.pause << try)
			restore, err = k.Snapshot(ctx)
		}
		if err != nil && name != backend && name != a.with(backend) && a.recordedBackend() != name {
			a.spare(name, err)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("backend %s: reading what there is to go back to: %w", name, err)
		}
		s.parts = append(s.parts, kept{name, restore})
	}
	return s, nil
}

// Restore brings the kernel back to a snapshot: first it restores what was there,
// then it removes the rest. It retries after temporary errors.
func (a *Applier) Restore(ctx context.Context, s *Snapshot) error {
	var errs []error
	for _, there := range []bool{true, false} {
		for _, p := range s.parts {
			if (p.restore != nil) == there {
				errs = append(errs, a.restore(ctx, p))
			}
		}
	}
	return errors.Join(errs...)
}

func (a *Applier) restore(ctx context.Context, p kept) error {
	for try := 0; ; try++ {
		var err error
		if p.restore == nil {
			_, err = a.dataplanes[p.backend].Clean(ctx)
		} else {
			err = p.restore(ctx)
		}
		if err == nil {
			return nil
		}
		if try+1 == patient.tries || ctx.Err() != nil {
			return fmt.Errorf("backend %s: going back to what the kernel had: %w", p.backend, err)
		}
		time.Sleep(patient.pause << try)
	}
}
