package cli

import (
	"errors"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

// errProof is what a page says: its program, whose size is bounded, has no room for proofs.
var errProof = errors.New("a page proves nothing: run planec prove")

func (d *diffCommand) proveChanges(_, _ *diffSide) error { return inputError(errProof) }

func proveAll(*ir.Program, []backends.Backend, nodeResult) error { return inputError(errProof) }
