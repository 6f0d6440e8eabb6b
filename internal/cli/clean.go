//go:build !js

package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/apply/frrload"
)

func newClean(s *Streams) *cobra.Command {
	var stateDir, backend, format string
	var t turn
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "Remove everything of planec from this kernel",
		Long: `clean removes the rules, sets and maps of one backend, or those of all, the pod
routes and the frr.conf of the agent, and nothing of other programs. It is no error when there is nothing to remove.`,
		Example: `  # Everything of planec's out of this kernel
  planec clean

  # What one backend left
  planec clean --backend iptables`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := untilSignalOnly()
			defer stop()
			lock, err := t.take(ctx, s, stateDir)
			if err != nil {
				return err
			}
			defer lock.Release()
			a := newApplier(stateDir, "")
			var steps []string
			if backend != "" {
				steps, err = a.Clean(ctx, backend)
			} else {
				steps, err = a.CleanAll(ctx)
				routes, failed := cleanRoutes()
				steps, err = append(steps, routes...), errors.Join(err, failed)
				announced, failed := frrload.CleanRecorded(ctx, stateDir)
				steps, err = append(steps, announced...), errors.Join(err, failed)
			}
			r, err := removed(backend, steps, err)
			if r == nil {
				return err
			}
			if err := errors.Join(err, r.write(s.Out, format)); err != nil {
				return systemError(err)
			}
			return nil
		},
	}
	formatFlag(cmd.Flags(), &format, kernelForms()...)
	backendFlag(cmd.Flags(), &backend, "backend to clean; all by default")
	registerStateDir(cmd.Flags(), &stateDir)
	t.register(cmd.Flags())
	return cmd
}
