//go:build !js

package cli

import (
	"errors"
	"fmt"

	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/nodelock"
)

// lastApplied returns the last applied entry. Without one, the error tells the user to
// name the input, as in hint; an unreadable record is an error of the machine.
func lastApplied(a *applier.Applier, hint string) (applier.Entry, error) {
	e, err := a.Last()
	switch {
	case err == nil:
		return e, nil
	case errors.Is(err, applier.ErrNoRecord):
		return e, inputError(fmt.Errorf("%s: %w", hint, err))
	}
	return e, systemError(err)
}

// unconfirmed describes the process that may revert the kernel's current rules, as
// apply --confirm-within does until it has an answer; "" means none.
func unconfirmed(stateDir string) string {
	n, err := nodelock.On(stateDir)
	if err != nil {
		return ""
	}
	if err := n.Changing(); err != nil {
		return err.Error() + ": the rules are being changed, or wait to be confirmed"
	}
	return ""
}
