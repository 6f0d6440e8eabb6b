package applier

import (
	"context"
	"fmt"

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

// Missing names what a backend needs besides its artifact to serve, or "".
func (a *Applier) Missing(backend string) string {
	if p, ok := a.dataplanes[backend].(Partial); ok {
		return p.Missing()
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
