package cli

import (
	"errors"
	"fmt"
)

// The exit codes of every command.
const (
	exitFine    = 0
	exitFinding = 1
	exitInput   = 2
	exitSystem  = 3
)

// exitError is an error with its exit code. A nil err means that everything
// was printed already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// finding is the result of a command with findings.
func finding() error { return &exitError{code: exitFinding} }

// inputError is an error in the user's input.
func inputError(err error) error { return &exitError{exitInput, err} }

// systemError is an error of the machine, such as a disk or a kernel.
func systemError(err error) error { return &exitError{exitSystem, err} }

// written returns the error of writing to stdout, or nil if there was none.
func written(err error) error {
	if err == nil {
		return nil
	}
	return systemError(fmt.Errorf("writing to stdout: %w", err))
}

// exitCode returns the exit code of an error. Any other error comes from
// cobra's parser and is a usage error.
func exitCode(err error) int {
	if err == nil {
		return exitFine
	}
	var e *exitError
	if errors.As(err, &e) {
		return e.code
	}
	return exitInput
}
