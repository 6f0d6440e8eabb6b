package applier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Snapshot is what the kernel had of some backends.
type Snapshot struct{ parts []kept }

// kept is one backend's; a nil state is nothing.
type kept struct {
	backend string
	state   any
}

// Snapshot reads from the kernel what an apply for a backend may change: its own part,
// that of the backend that served before, and the part of a backend that has its rules
// in the same place.
func (a *Applier) Snapshot(ctx context.Context, backend string) (*Snapshot, error) {
	names := []string{backend}
	if before, err := a.record.backend(); err == nil && before != backend && a.dataplanes[before] != nil {
		names = append(names, before)
	}
	for _, name := range slices.Clone(names) {
		if other := beside[name]; other != "" && !slices.Contains(names, other) && a.dataplanes[other] != nil {
			names = append(names, other)
		}
	}
	s := &Snapshot{}
	for _, name := range names {
		d, err := a.dataplane(name)
		if err != nil {
			return nil, err
		}
		k, ok := d.(Keeper)
		if !ok {
			return nil, fmt.Errorf("backend %s cannot go back to what the kernel has", name)
		}
		state, err := k.Snapshot(ctx)
		for try := 1; err != nil && passing(err) && try < patient.tries && ctx.Err() == nil; try++ {
			time.Sleep(patient.pause << try)
			state, err = k.Snapshot(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("backend %s: reading what there is to go back to: %w", name, err)
		}
		s.parts = append(s.parts, kept{name, state})
	}
	return s, nil
}

// beside are backends whose rules have the same names.
var beside = map[string]string{"iptables": "ipvs", "ipvs": "iptables"}

// Restore makes the kernel what a snapshot says: what was there comes before what was
// not goes. It tries again what fails for a moment.
func (a *Applier) Restore(ctx context.Context, s *Snapshot) error {
	var errs []error
	for _, there := range []bool{true, false} {
		for _, p := range s.parts {
			if (p.state != nil) == there {
				errs = append(errs, a.restore(ctx, p))
			}
		}
	}
	return errors.Join(errs...)
}

func (a *Applier) restore(ctx context.Context, p kept) error {
	for try := 0; ; try++ {
		var err error
		if p.state == nil {
			_, err = a.dataplanes[p.backend].Clean(ctx)
		} else {
			err = a.dataplanes[p.backend].(Keeper).Restore(ctx, p.state)
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
