//go:build !js

package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/apply/frrload"
)

// cleanCommand is `planec clean`.
type cleanCommand struct {
	streams *Streams
	turn
	// backend is the backend to clean; "" is everything of planec's.
	backend, stateDir, format string
	dryRun                    bool
}

func newClean(s *Streams) *cobra.Command {
	c := &cleanCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "Remove everything of planec from this kernel",
		Long: `clean removes the rules, sets and maps of one backend, or those of all, the pod
routes and the frr.conf of the agent, and nothing of other programs. It is no error when there is nothing to remove.`,
		Example: `  # What would go
  planec clean --dry-run

  # Everything of planec's out of this kernel
  planec clean

  # What one backend left
  planec clean --backend iptables`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := untilSignalOnly()
			defer stop()
			return c.run(ctx)
		},
	}
	formatFlag(cmd.Flags(), &c.format, kernelForms()...)
	backendFlag(cmd.Flags(), &c.backend, "backend to clean; all by default")
	cmd.Flags().BoolVar(&c.dryRun, "dry-run", false, "print what would be removed, and change nothing")
	registerStateDir(cmd.Flags(), &c.stateDir)
	c.turn.register(cmd.Flags())
	return cmd
}

func (c *cleanCommand) run(ctx context.Context) error {
	var steps []string
	var err error
	if c.dryRun {
		steps, err = c.look(ctx)
	} else {
		lock, busy := c.take(ctx, c.streams, c.stateDir)
		if busy != nil {
			return busy
		}
		defer lock.Release()
		steps, err = c.remove(ctx)
	}
	if err != nil && len(steps) == 0 {
		return systemError(err) // "nothing removed" may be wrong after an error
	}
	if err := errors.Join(err, c.result(steps, err).write(c.streams.Out, c.format)); err != nil {
		return systemError(err)
	}
	return nil
}

// result is that of a clean which may have failed halfway: what it removed is said anyway.
func (c *cleanCommand) result(steps []string, err error) *changed {
	r := &changed{Command: "clean", Backend: c.backend, Changed: len(steps) > 0, InSync: err == nil, Steps: steps, none: "removed"}
	if c.dryRun {
		r.Changed, r.InSync, r.none = false, err == nil && len(steps) == 0, "would be removed"
	}
	return r
}

// remove removes, and says what.
func (c *cleanCommand) remove(ctx context.Context) ([]string, error) {
	a := newApplier(c.stateDir, "")
	if c.backend != "" {
		return a.Clean(ctx, c.backend)
	}
	steps, err := a.CleanAll(ctx)
	routes, failed := cleanRoutes()
	steps, err = append(steps, routes...), errors.Join(err, failed)
	announced, failed := frrload.CleanRecorded(ctx, c.stateDir)
	return append(steps, announced...), errors.Join(err, failed)
}

// look says what remove would remove.
func (c *cleanCommand) look(ctx context.Context) ([]string, error) {
	a := newApplier(c.stateDir, "")
	if c.backend != "" {
		p, err := a.PreviewClean(ctx, c.backend)
		return p.Steps, err
	}
	p, err := a.PreviewCleanAll(ctx)
	routes, failed := routesToClean()
	steps, err := append(p.Steps, routes...), errors.Join(err, failed)
	announced, failed := frrload.RecordedToClean(c.stateDir)
	return append(steps, announced...), errors.Join(err, failed)
}
