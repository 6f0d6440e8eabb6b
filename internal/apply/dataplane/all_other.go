//go:build !linux

package dataplane

import "github.com/planec/planec/internal/apply/applier"

// All is empty: only Linux runs what planec compiles.
func All() map[string]applier.Dataplane { return nil }
