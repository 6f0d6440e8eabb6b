//go:build !linux

package cli

// kernelRelease is not known: planec changes kernels of Linux only.
func kernelRelease() string { return "" }
