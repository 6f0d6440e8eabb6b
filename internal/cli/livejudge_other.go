//go:build !linux

package cli

import (
	"context"
	"errors"

	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// liveJudges fails: planec's programs are for Linux only.
func liveJudges(context.Context, string, string, string) (func(*ir.Program) (netpath.Judge, error), error) {
	return nil, systemError(errors.New("--live asks the kernel of a Linux node"))
}
