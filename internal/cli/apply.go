//go:build !js

package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/apply/nodelock"
	"github.com/planec/planec/ir/diag"
)

// applyCommand is `planec apply`.
type applyCommand struct {
	flags *pflag.FlagSet
	target
	turn
	streams *Streams
	dryRun  bool
	confirm time.Duration
	format  string
}

func newApply(s *Streams) *cobra.Command {
	c := &applyCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "apply -f PATH... --node NAME --backend NAME",
		Short: "Put a node's rules into this kernel, all of them or nothing",
		Long: `apply compares this kernel with what the manifests, or compiled files, say, changes
what differs, reads it back and records it in --state-dir. Applying again changes
nothing, and one that fails goes back to what the kernel had. Rules, sets and tables of
other programs are never touched; what is there of another backend of planec goes once
the new rules are in. UDP and SCTP flows to endpoints that are gone are ended, as far as
manifests say what is there. With --pod-routes the routes to pods of other nodes follow the
rules; compiled files have none.

Input that cannot be read as a whole, a directory of compiled files that is not exactly
one backend's, and rules for no Service and no policy are refused (exit code 2).

With --confirm-within the change is taken back unless "yes" is read from stdin in
time: for changes that could cut off your own connection to the node. The kernel then
has what it had before the apply, also when planec is killed or its terminal closes;
a change that was taken back is not recorded.`,
		Example: `  planec apply -f manifests/ --node node-a --backend nftables --dry-run
  planec apply -f manifests/ --node node-a --backend nftables --confirm-within 30s

  # What CI compiled
  planec apply --artifact rules/node-a/nftables`,
		Args: noArguments,
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
	c.flags = flags
	c.target.register(flags)
	c.turn.register(flags)
	formatFlag(flags, &c.format, kernelForms()...)
	flags.BoolVar(&c.keepFlows, "keep-flows", false, "leave UDP and SCTP flows to endpoints that are gone alone")
	flags.BoolVar(&c.endDenied, "end-denied", false, "end connections that policies deny now")
	flags.BoolVar(&c.dryRun, "dry-run", false, "print what would change, and change nothing")
	flags.DurationVar(&c.confirm, "confirm-within", 0, "take the change back unless it is confirmed in this time")
}

func (c *applyCommand) run(ctx context.Context) error {
	// In a script, an empty variable must not mean that no confirmation is needed.
	if c.confirm < 0 || c.confirm == 0 && c.flags.Changed("confirm-within") {
		return inputError(fmt.Errorf("--confirm-within %v: want a time to come", c.confirm))
	}
	if c.confirm > 0 && c.settings.PodRoutes() {
		return inputError(errors.New("--confirm-within takes back rules only: apply --pod-routes without it"))
	}
	if c.endDenied && c.artifact != "" {
		return inputError(errors.New("--end-denied needs the policies: give -f"))
	}
	e, err := c.entry(c.streams)
	if err != nil {
		return err
	}
	cgroup, err := c.programsAt(e.Backend)
	if err != nil {
		return err
	}
	e.warnOfFirewall(ctx, c.streams)
	a := newApplier(c.stateDir, cgroup)
	a.Doubt = c.streams.doubt
	if c.cgroup == "" {
		c.warnOfMove(ctx, a, e.Backend, cgroup)
	}
	if err := c.serves(a, e); err != nil {
		return err
	}
	if c.dryRun {
		p, err := a.PlanSwitch(ctx, e.Entry)
		if err != nil {
			return systemError(err)
		}
		steps, err := e.routeSteps()
		if err != nil {
			return err
		}
		r := changed{Command: "apply", Backend: e.Backend, InSync: p.Empty() && len(steps) == 0, Steps: append(p.Steps(), steps...), none: "would change"}
		return r.write(c.streams.Out, c.format)
	}
	lock, err := c.take(ctx, c.streams, c.stateDir)
	if err != nil {
		return err
	}
	defer lock.Release()
	if c.confirm > 0 {
		return c.confirmed(ctx, a, e, lock)
	}
	return c.plain(ctx, a, e)
}

// programsAt is the cgroup for a backend's programs: wherever they are, an apply puts them
// where it was told.
func (c *applyCommand) programsAt(backend string) (string, error) {
	if err := checkCgroup(c.cgroup, backend); err != nil || c.cgroup != "" || backend != ebpf.Name {
		return c.cgroup, err
	}
	root, err := dataplane.Root()
	if err != nil {
		return "", systemError(err)
	}
	return root, nil
}

// warnOfMove says that programs leave the cgroup where they are, because none was given.
func (c *applyCommand) warnOfMove(ctx context.Context, a *applier.Applier, backend, to string) {
	programs, err := a.Programs(ctx, backend)
	if err != nil {
		return // the plan says so too
	}
	for _, p := range programs {
		if filepath.IsAbs(p.At) && p.At != to {
			fmt.Fprintf(c.streams.Err, "warning: the programs of sockets move from the cgroup %s to %s: --cgroup %[1]s leaves them where they are\n", diag.Printable(p.At), to)
			return
		}
	}
}

// doubt reports rules that stay because they could not be identified.
func (s *Streams) doubt(err error) { fmt.Fprintf(s.Err, "warning: %v\n", err) }

// serves checks that an entry serves something and is what its backend writes.
func (c *applyCommand) serves(a *applier.Applier, e *compiled) error {
	if e.program != nil {
		return c.nothingServed(e.program)
	}
	served, err := a.Read(e.Entry)
	if err != nil {
		return inputError(fmt.Errorf("%s: %w", c.artifact, err))
	}
	if c.allowEmpty || len(served.Frontends)+len(served.Pods) > 0 {
		return nil
	}
	return errNothingServed
}

// plain applies, and restores the previous rules after a failure.
func (c *applyCommand) plain(ctx context.Context, a *applier.Applier, e *compiled) error {
	way := &wayBack{streams: c.streams, applier: a}
	way.look(ctx, e.Backend)
	p, left, err := c.put(ctx, a, e)
	if err != nil {
		return way.back(p, err)
	}
	record, err := a.Stage(e.Entry, p)
	if err == nil {
		err = record.Commit()
	}
	if err != nil {
		return way.back(p, systemError(err))
	}
	if err := c.after(a, e, p); err != nil {
		return errors.Join(systemError(fmt.Errorf("the rules are in: %w", err)), left)
	}
	return left
}

// put installs, and reports what the kernel refused. Rules of another backend that remain
// are no reason to revert: the new rules serve, and the next apply removes the old ones.
func (c *applyCommand) put(ctx context.Context, a *applier.Applier, e *compiled) (p applier.Plan, left, err error) {
	p, err = e.install(ctx, a)
	if errors.As(err, new(*applier.LeftError)) {
		left, err = systemError(err), nil
	}
	if err != nil {
		return p, nil, systemError(err)
	}
	if len(e.refused) > 0 {
		err = e.report(e.refused)
	}
	return p, left, err
}

// after does what follows once the rules are in.
func (c *applyCommand) after(a *applier.Applier, e *compiled, p applier.Plan) error {
	if err := c.endFlows(c.streams, a, e.Backend, e.program); err != nil {
		return err
	}
	routes, err := e.putRoutes()
	if err != nil {
		return err
	}
	steps := append(p.Steps(), routes...)
	r := changed{
		Command: "apply", Backend: e.Backend, Changed: len(steps) > 0, InSync: true, Steps: steps,
		Serves: inSync(a, e.Entry, e.program), none: "changed",
	}
	return r.write(c.streams.Out, c.format)
}

// confirmed applies with a guard, which restores the kernel's current rules unless
// the change is confirmed. Everything that can fail is done before the confirmation
// is requested, even the record except for its name.
func (c *applyCommand) confirmed(ctx context.Context, a *applier.Applier, e *compiled, lock *nodelock.Lock) error {
	w := &watched{streams: c.streams, applier: a}
	if err := w.arm(ctx, c.stateDir, e.Backend, lock); err != nil {
		return systemError(fmt.Errorf("nothing was changed: %w", err))
	}
	defer w.close()
	p, left, err := c.put(ctx, a, e)
	if err := errors.Join(err, left); err != nil {
		return w.back(err)
	}
	w.change.Applied(c.confirm)
	record, err := a.Stage(e.Entry, p)
	if err != nil {
		return w.back(systemError(err))
	}
	if p.Empty() {
		w.keep()
		if err := record.Commit(); err != nil {
			return systemError(err)
		}
		return c.after(a, e, p)
	}
	if err := c.after(a, e, p); err != nil {
		fmt.Fprintf(c.streams.Err, "planec: %v\n", err)
		return errors.Join(w.back(finding()), record.Discard())
	}
	kept, err := w.decide(ctx, c.confirm)
	if !kept || err != nil {
		return errors.Join(err, record.Discard())
	}
	if err := record.Commit(); err != nil {
		return systemError(fmt.Errorf("it was confirmed and stays, but could not be recorded: %w", err))
	}
	return nil
}
