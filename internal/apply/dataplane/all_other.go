//go:build !linux

package dataplane

import "github.com/planec/planec/internal/apply/applier"

// All is empty: planec's rules are for Linux only.
func All() map[string]applier.Dataplane { return nil }

// AllAt is empty, like All.
func AllAt(string) map[string]applier.Dataplane { return nil }
