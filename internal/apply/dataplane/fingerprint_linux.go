package dataplane

import (
	"context"

	"github.com/planec/planec/internal/apply/applier"
)

var _ applier.Fingerprinter = (*ebpfPlane)(nil)

// Fingerprint implements [applier.Fingerprinter].
func (d *ebpfPlane) Fingerprint(ctx context.Context) (string, error) { return d.pins.Fingerprint(ctx) }
