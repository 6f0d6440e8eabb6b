//go:build !js

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
)

// rollbackCommand is `planec rollback`.
type rollbackCommand struct {
	streams *Streams
	turn
	stateDir, cgroup, format string
	allowEmpty, dryRun       bool
}

func newRollback(s *Streams) *cobra.Command {
	c := &rollbackCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "rollback",
		Short: "Put back the rules before the last apply",
		Long: `rollback applies the rules that were recorded before the last apply, or removes all
rules where there were none before and --allow-empty is given; a second rollback returns
to the first state. It changes nothing where the record does not say what there was, or where the last change
was not confirmed and was taken back for that reason.`,
		Example: `  # What would change
  planec rollback --dry-run

  # Back to the rules before the last apply; once more, and they are in again
  planec rollback`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := untilSignalOnly()
			defer stop()
			return c.run(ctx)
		},
	}
	formatFlag(cmd.Flags(), &c.format, kernelForms()...)
	registerStateDir(cmd.Flags(), &c.stateDir)
	registerCgroup(cmd.Flags(), &c.cgroup)
	cmd.Flags().BoolVar(&c.allowEmpty, "allow-empty", false, "go back to no rules at all, or to rules that serve nothing")
	cmd.Flags().BoolVar(&c.dryRun, "dry-run", false, "print what would change, and change nothing")
	c.turn.register(cmd.Flags())
	return cmd
}

func (c *rollbackCommand) run(ctx context.Context) error {
	if !c.dryRun {
		lock, err := c.take(ctx, c.streams, c.stateDir)
		if err != nil {
			return err
		}
		defer lock.Release()
	}
	a := newApplier(c.stateDir, c.cgroup)
	a.Doubt = c.streams.doubt
	if previous, err := a.Previous(); err == nil {
		if err := checkCgroup(c.cgroup, cmp.Or(previous.Backend, "none")); err != nil {
			return err
		}
		if c.cgroup == "" && previous.Place != "" {
			if err := dataplane.CheckCgroup(previous.Place); err != nil {
				return inputError(fmt.Errorf("the programs were on %w: say where they should be (--cgroup)", err))
			}
			a = newApplier(c.stateDir, previous.Place)
			a.Doubt = c.streams.doubt
		}
	}
	if err := wantsSome(a, c.allowEmpty); err != nil {
		return err
	}
	back := rollBack
	if c.dryRun {
		back = wouldRollBack
	}
	r, err := back(ctx, a)
	if err != nil {
		return err
	}
	return r.write(c.streams.Out, c.format)
}

// rollBack goes back, and says what changed.
func rollBack(ctx context.Context, a *applier.Applier) (*changed, error) {
	e, p, err := a.Rollback(ctx)
	r := &changed{Command: "rollback", Backend: e.Backend, InSync: true}
	switch {
	case errors.Is(err, applier.ErrTakenBack):
		r.Serves = nothingChanged(err)
	case err != nil:
		return nil, systemError(err)
	case p == nil:
		r.Changed, r.Serves = true, "there was nothing before: all rules are removed"
	default:
		r.Changed, r.Steps, r.none, r.Serves = len(p.Steps()) > 0, p.Steps(), "changed", inSync(a, e, nil)
	}
	return r, nil
}

// wouldRollBack says what rollBack would change.
func wouldRollBack(ctx context.Context, a *applier.Applier) (*changed, error) {
	e, p, err := a.PreviewRollback(ctx)
	r := &changed{Command: "rollback", Backend: e.Backend, InSync: p.InSync, Steps: p.Steps, none: "would change"}
	switch {
	case errors.Is(err, applier.ErrTakenBack):
		r.InSync, r.Serves, r.none = true, nothingChanged(err), ""
	case err != nil:
		return nil, systemError(err)
	case e.Backend == "":
		r.Serves = "there was nothing before: all rules would be removed"
	}
	return r, nil
}

func nothingChanged(because error) string { return fmt.Sprintf("nothing changed: %v", because) }

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
