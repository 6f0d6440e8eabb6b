package applier

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/planec/planec/backends"
)

// Served returns what the kernel serves with a backend's rules.
func (a *Applier) Served(ctx context.Context, backend string) (backends.Served, error) {
	d, err := a.dataplane(backend)
	if err != nil {
		return backends.Served{}, err
	}
	s, err := d.Served(ctx)
	if err != nil {
		return s, fmt.Errorf("backend %s: %w", backend, err)
	}
	return s, nil
}

// Read returns what an artifact serves, without reading the kernel.
func (a *Applier) Read(e Entry) (backends.Served, error) {
	d, err := a.dataplane(e.Backend)
	if err != nil {
		return backends.Served{}, err
	}
	s, err := d.Read(e.Artifact)
	if err != nil {
		return s, fmt.Errorf("reading the artifact of backend %s: %w", e.Backend, err)
	}
	return s, nil
}

// Programs returns the programs of a backend that are attached; none of a backend that is
// not [Programmed].
func (a *Applier) Programs(ctx context.Context, backend string) ([]backends.ServedProgram, error) {
	p, ok := a.dataplanes[backend].(Programmed)
	if !ok {
		return nil, nil
	}
	list, err := p.Programs(ctx)
	if err != nil {
		return nil, fmt.Errorf("backend %s: %w", backend, err)
	}
	return list, nil
}

// EndSockets is [Connected.EndSockets] of a backend's dataplane; others have no sockets.
func (a *Applier) EndSockets(backend string, stale func(service, endpoint netip.AddrPort) bool) (int, error) {
	c, ok := a.dataplanes[backend].(Connected)
	if !ok {
		return 0, nil
	}
	n, err := c.EndSockets(stale)
	if err != nil {
		return n, fmt.Errorf("backend %s: %w", backend, err)
	}
	return n, nil
}

// Guarded is a backend's dataplane that enforces policies at interfaces; nil is one that
// does not.
func (a *Applier) Guarded(backend string) Guarded {
	g, _ := a.dataplanes[backend].(Guarded)
	return g
}

// Counting returns a backend's dataplane if it can count connections, or nil.
func (a *Applier) Counting(backend string) Counting {
	c, _ := a.dataplanes[backend].(Counting)
	return c
}

// with is the backend whose rules a backend's artifacts contain, or "".
func (a *Applier) with(backend string) string {
	if c, ok := a.dataplanes[backend].(Composed); ok {
		return c.With()
	}
	return ""
}

// Fingerprint returns a cheap function whose result changes with a backend's rules
// in the kernel; nil if the backend has none.
func (a *Applier) Fingerprint(backend string) func(context.Context) (string, error) {
	if f, ok := a.dataplanes[backend].(Fingerprinter); ok {
		return f.Fingerprint
	}
	return nil
}
