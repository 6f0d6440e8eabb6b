//go:build !linux

package dataplane

import "errors"

// General reports whether an error of a dataplane is caused by the machine: here, always.
func General(error) bool { return true }

var errLinux = errors.New("eBPF programs need Linux")

// Root is the root of cgroup2: there is none here.
func Root() (string, error) { return "", errLinux }

// CheckCgroup checks the path of a cgroup: none is one here.
func CheckCgroup(string) error { return errLinux }
