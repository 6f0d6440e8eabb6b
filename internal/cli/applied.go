package cli

import (
	"errors"
	"fmt"

	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/nodelock"
)

// lastApplied is what was applied last. Where nothing was, the user has to say what is
// meant, as the hint says; a record that cannot be read is the machine's fault.
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

// unconfirmed says in words which process may take the rules back that the kernel has
// now, as apply --confirm-within does until it has an answer; "" is none.
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
