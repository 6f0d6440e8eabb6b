//go:build !linux

package main

import "os/exec"

func applySteps() map[string]func(string, int) (func() error, error) { return nil }

func applyFigures() []figure { return nil }

func apart(self string, args []string) *exec.Cmd { return exec.Command(self, args...) }
