package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/apply/applier"
)

// kernelCommands are none: a browser has no kernel to change.
func kernelCommands(*Streams) []*cobra.Command { return nil }

// liveEntry fails.
func liveEntry(string) (applier.Entry, error) {
	return applier.Entry{}, inputError(errors.New("live: in a browser there is no kernel"))
}
