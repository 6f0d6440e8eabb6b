package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/planec/planec/internal/applier"
	"github.com/planec/planec/internal/nodelock"
)

// applyCommand is `planec apply`.
type applyCommand struct {
	target
	turn
	streams *Streams
	dryRun  bool
	confirm time.Duration
}

func newApply(s *Streams) *cobra.Command {
	c := &applyCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "apply -f PATH... --node NAME --backend NAME",
		Short: "Put a node's rules into this kernel, all of them or nothing",
		Long: `apply compares this kernel with what the manifests, or compiled files, say, changes
what differs, reads it back and records it in --state-dir. Applying again changes
nothing. Rules, sets and tables of other programs are never touched; when another
backend of planec served before, its rules go once the new ones are in. UDP and SCTP
flows to endpoints that are gone are ended, as far as manifests say what is there.

With --confirm-within the change is taken back unless "yes" is read from stdin in
time: for changes that could cut off your own connection to the node. The kernel then
has what it had before the apply, also when planec is killed or its terminal closes;
a change that was taken back is not recorded.`,
		Example: `  planec apply -f manifests/ --node node-a --backend nftables --dry-run
  planec apply -f manifests/ --node node-a --backend nftables --confirm-within 30s

  # What CI compiled
  planec apply --artifact rules/node-a/nftables`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := untilSignalOnly()
			defer stop()
			return c.run(ctx)
		},
	}
	c.register(cmd.Flags())
	return cmd
}

func (c *applyCommand) register(flags *pflag.FlagSet) {
	c.target.register(flags)
	c.turn.register(flags)
	flags.BoolVar(&c.keepFlows, "keep-flows", false, "leave UDP and SCTP flows to endpoints that are gone alone")
	flags.BoolVar(&c.endDenied, "end-denied", false, "end connections that policies deny now")
	flags.BoolVar(&c.dryRun, "dry-run", false, "print what would change, and change nothing")
	flags.DurationVar(&c.confirm, "confirm-within", 0, "take the change back unless it is confirmed in this time")
}

func (c *applyCommand) run(ctx context.Context) error {
	if c.confirm < 0 {
		return inputError(fmt.Errorf("--confirm-within %v: want a time to come", c.confirm))
	}
	e, err := c.entry(c.streams)
	if err != nil {
		return err
	}
	e.warnOfFirewall(ctx, c.streams)
	a := newApplier(c.stateDir)
	if c.dryRun {
		p, err := a.Plan(ctx, e.Entry)
		if err != nil {
			return systemError(err)
		}
		return printSteps(c.streams.Out, p.Steps(), "would change")
	}
	lock, err := c.take(ctx, c.streams, c.stateDir)
	if err != nil {
		return err
	}
	defer lock.Release()
	if c.confirm > 0 {
		return c.confirmed(ctx, a, e, lock)
	}
	p, err := e.install(ctx, a)
	if err != nil {
		return systemError(err)
	}
	if err := a.Remember(e.Entry, p); err != nil {
		return systemError(err)
	}
	return c.after(a, e, p)
}

// after is what follows when the rules are in.
func (c *applyCommand) after(a *applier.Applier, e *compiled, p applier.Plan) error {
	if missing := a.Missing(e.Backend); missing != "" {
		fmt.Fprintf(c.streams.Err, "what backend %s needs to serve is not there yet: %s; other rules were left in place\n", e.Backend, missing)
	}
	if err := c.endFlows(c.streams, e.program); err != nil {
		return err
	}
	if len(e.refused) > 0 {
		if err := e.report(e.refused); err != nil {
			return err
		}
	}
	return printSteps(c.streams.Out, p.Steps(), "changed")
}

// confirmed applies under the eyes of a guard, which goes back to what the kernel has
// now unless the change is confirmed.
func (c *applyCommand) confirmed(ctx context.Context, a *applier.Applier, e *compiled, lock *nodelock.Lock) error {
	w := &watched{streams: c.streams, applier: a}
	if err := w.arm(ctx, c.stateDir, e.Backend, lock); err != nil {
		return systemError(fmt.Errorf("nothing was changed: %w", err))
	}
	defer w.close()
	p, err := e.install(ctx, a)
	if err != nil {
		return w.back(systemError(err))
	}
	w.change.Applied(c.confirm)
	if p.Empty() {
		w.keep()
		if err := a.Remember(e.Entry, p); err != nil {
			return systemError(err)
		}
		return c.after(a, e, p)
	}
	if err := c.after(a, e, p); err != nil {
		fmt.Fprintf(c.streams.Err, "planec: %v\n", err)
		return w.back(finding())
	}
	kept, err := w.decide(ctx, c.confirm)
	if !kept || err != nil {
		return err
	}
	if err := a.Remember(e.Entry, p); err != nil {
		return systemError(fmt.Errorf("it was confirmed and stays, but could not be recorded: %w", err))
	}
	return nil
}
