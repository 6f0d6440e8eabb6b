//go:build !linux

package buildinfo

// KernelRelease is unknown: planec's rules are for Linux only.
func KernelRelease() string { return "" }
