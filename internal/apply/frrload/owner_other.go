//go:build !linux

package frrload

import "os"

// sameOwner does nothing: FRR is loaded on Linux only.
func sameOwner(*os.File, string) error { return nil }
