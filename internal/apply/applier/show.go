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

// Reader is a dataplane that can say what an artifact of its backend serves.
type Reader interface {
	// Read fails where the artifact is none of the backend's.
	Read(a backends.Artifact) (backends.Served, error)
}

// Read says what an artifact serves, without a look at the kernel.
func (a *Applier) Read(e Entry) (backends.Served, error) {
	d, err := a.dataplane(e.Backend)
	if err != nil {
		return backends.Served{}, err
	}
	r, ok := d.(Reader)
	if !ok {
		return backends.Served{}, fmt.Errorf("artifacts of backend %s cannot be read", e.Backend)
	}
	s, err := r.Read(e.Artifact)
	if err != nil {
		return s, fmt.Errorf("reading the artifact of backend %s: %w", e.Backend, err)
	}
	return s, nil
}
