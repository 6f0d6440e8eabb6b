package applier

import (
	"context"
	"fmt"

	"github.com/planec/planec/backends"
)

// Shower is a dataplane that can say what the kernel serves.
type Shower interface {
	// Served reads the kernel, and changes nothing.
	Served(ctx context.Context) (backends.Served, error)
}

// Served says what this kernel serves by a backend's rules.
func (a *Applier) Served(ctx context.Context, backend string) (backends.Served, error) {
	d, err := a.dataplane(backend)
	if err != nil {
		return backends.Served{}, err
	}
	shower, ok := d.(Shower)
	if !ok {
		return backends.Served{}, fmt.Errorf("backend %s cannot be shown", backend)
	}
	s, err := shower.Served(ctx)
	if err != nil {
		return s, fmt.Errorf("backend %s: %w", backend, err)
	}
	return s, nil
}
