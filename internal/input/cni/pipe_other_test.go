//go:build !unix

package cni_test

import "errors"

func pipe(string) error { return errors.New("this system has no named pipes in directories") }
