//go:build !js

package cli

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/apply/applier"
)

func newRollback(s *Streams) *cobra.Command {
	var stateDir, cgroup, format string
	var allowEmpty bool
	var t turn
	cmd := &cobra.Command{
		Use:   "rollback",
		Short: "Put back the rules before the last apply",
		Long: `rollback applies the rules that were recorded before the last apply, or removes all
rules where there were none before and --allow-empty is given; a second rollback returns
to the first state. It changes nothing where the record does not say what there was, or where the last change
was not confirmed and was taken back for that reason.`,
		Example: `  # Back to the rules before the last apply; once more, and they are in again
  planec rollback`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := untilSignalOnly()
			defer stop()
			lock, err := t.take(ctx, s, stateDir)
			if err != nil {
				return err
			}
			defer lock.Release()
			a := newApplier(stateDir, cgroup)
			if previous, err := a.Previous(); err == nil {
				if err := checkCgroup(cgroup, cmp.Or(previous.Backend, "none")); err != nil {
					return err
				}
			}
			if err := wantsSome(a, allowEmpty); err != nil {
				return err
			}
			e, p, err := a.Rollback(ctx)
			r, err := rolledBack(a, e, p, err)
			if err != nil {
				return err
			}
			return r.write(s.Out, format)
		},
	}
	formatFlag(cmd.Flags(), &format, kernelForms()...)
	registerStateDir(cmd.Flags(), &stateDir)
	registerCgroup(cmd.Flags(), &cgroup)
	cmd.Flags().BoolVar(&allowEmpty, "allow-empty", false, "go back to no rules at all, or to rules that serve nothing")
	t.register(cmd.Flags())
	return cmd
}

// rolledBack is the result of a rollback.
func rolledBack(a *applier.Applier, e applier.Entry, p applier.Plan, err error) (*changed, error) {
	r := &changed{Command: "rollback", Backend: e.Backend, InSync: true}
	switch {
	case errors.Is(err, applier.ErrTakenBack):
		r.Serves = fmt.Sprintf("nothing changed: %v", err)
	case err != nil:
		return nil, systemError(err)
	case p == nil:
		r.Changed, r.Serves = true, "there was nothing before: all rules are removed"
	default:
		r.Changed, r.Steps, r.none, r.Serves = len(p.Steps()) > 0, p.Steps(), "changed", inSync(a, e, nil)
	}
	return r, nil
}

// wantsSome rejects a rollback to rules that serve nothing, unless it is requested.
func wantsSome(a *applier.Applier, allowEmpty bool) error {
	previous, err := a.Previous()
	if allowEmpty || err != nil {
		return nil // the rollback reports the error
	}
	if previous.Backend != "" {
		served, err := a.Read(previous)
		if err != nil || len(served.Frontends)+len(served.Pods) > 0 {
			return nil
		}
	}
	return inputError(errors.New("before the last apply this node served no Service and no policy: nothing was changed (--allow-empty goes back to that)"))
}
