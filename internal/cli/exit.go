package cli

import "errors"

// The exit codes of every command.
const (
	exitFine    = 0
	exitFinding = 1
	exitInput   = 2
	exitSystem  = 3
)

// exitError is an error with the exit code it means. A nil err means that what
// there was to say has been said.
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

// finding is the result of a command that found something.
func finding() error { return &exitError{code: exitFinding} }

// inputError is a mistake in what the user gave.
func inputError(err error) error { return &exitError{exitInput, err} }

// systemError is a failure of the machine: a disk, a kernel.
func systemError(err error) error { return &exitError{exitSystem, err} }

// exitCode maps an error to its code. Errors that are not mapped come from
// cobra's parsing and so are usage errors.
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
