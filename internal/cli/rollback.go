package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/applier"
)

func newRollback(s *Streams) *cobra.Command {
	var stateDir string
	var t turn
	cmd := &cobra.Command{
		Use:   "rollback",
		Short: "Put back the rules before the last apply",
		Long: `rollback applies the rules that were recorded before the last apply, or removes all
rules where there were none before; a second rollback returns to the first state. It
changes nothing where the record does not say what there was, or where the last change
was not confirmed and was taken back for that reason.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := untilSignalOnly()
			defer stop()
			lock, err := t.take(ctx, s, stateDir)
			if err != nil {
				return err
			}
			defer lock.Release()
			_, p, err := newApplier(stateDir).Rollback(ctx)
			if errors.Is(err, applier.ErrTakenBack) {
				fmt.Fprintf(s.Out, "nothing changed: %v\n", err)
				return nil
			}
			if err != nil {
				return systemError(err)
			}
			if p == nil {
				fmt.Fprintln(s.Out, "there was nothing before: all rules are removed")
				return nil
			}
			return printSteps(s.Out, p.Steps(), "changed")
		},
	}
	registerStateDir(cmd.Flags(), &stateDir)
	t.register(cmd.Flags())
	return cmd
}
