//go:build !linux

package cli

// kernelRelease is unknown: planec's rules are for Linux only.
func kernelRelease() string { return "" }
