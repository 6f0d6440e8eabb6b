package applier

import (
	"context"
	"fmt"

	"github.com/planec/planec/backends"
)

// Served says what this kernel serves by a backend's rules.
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

// Read says what an artifact serves, without a look at the kernel.
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

// Missing says what a backend needs besides its artifact to serve; "" is nothing.
func (a *Applier) Missing(backend string) string {
	if p, ok := a.dataplanes[backend].(Partial); ok {
		return p.Missing()
	}
	return ""
}

// Fingerprint returns what tells cheaply whether a backend's rules in the kernel are
// the same as before; nil where nothing does.
func (a *Applier) Fingerprint(backend string) func(context.Context) (string, error) {
	if f, ok := a.dataplanes[backend].(Fingerprinter); ok {
		return f.Fingerprint
	}
	return nil
}
