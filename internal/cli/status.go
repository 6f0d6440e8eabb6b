//go:build !js

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/agent/api"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/base/buildinfo"
)

// statusCommand is `planec status`.
type statusCommand struct {
	streams          *Streams
	stateDir, format string
	wait             time.Duration
}

func newStatus(s *Streams) *cobra.Command {
	c := &statusCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "status [-o text|json] [--wait DURATION]",
		Short: "Say whether this kernel has the rules that it should have",
		Long: `status asks the planec-agent of this node how it is doing: its backend, whether the
kernel is in sync, when rules changed last, what other processes changed, and what
there is to say about objects, files and ports. Where no agent runs it compares the
kernel with what was applied last.

It exits 0 when the kernel is in sync, and 1 when it is not, or not yet. With --wait it
waits until then, at most as long as that.`,
		Example: `  planec status
  planec status --wait 30s        # after a reboot, or a change of manifests
  planec status -o json`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := untilSignal()
			defer stop()
			return c.run(ctx)
		},
	}
	cmd.Flags().StringVarP(&c.format, "output", "o", "text", "text or json")
	cmd.Flags().DurationVar(&c.wait, "wait", 0, "how long to wait until the kernel is in sync")
	registerStateDir(cmd.Flags(), &c.stateDir)
	return cmd
}

// statusPoll is the interval of status requests while the command waits.
const statusPoll = 100 * time.Millisecond

func (c *statusCommand) run(ctx context.Context) error {
	if c.format != "text" && c.format != "json" {
		return inputError(fmt.Errorf("-o %q: want text or json", c.format))
	}
	if c.wait < 0 {
		return inputError(fmt.Errorf("--wait %v: want a duration that is not negative", c.wait))
	}
	for until := time.Now().Add(c.wait); ; {
		status, err := c.status(ctx)
		// An agent may not answer while it starts or ends.
		if err == nil && status.InSync || !time.Now().Before(until) || ctx.Err() != nil {
			if err != nil {
				return systemError(err)
			}
			return c.print(&status)
		}
		select {
		case <-ctx.Done():
		case <-time.After(statusPoll):
		}
	}
}

func (c *statusCommand) status(ctx context.Context) (api.Status, error) {
	client, running := agentOf(c.stateDir)
	status, err := client.Status(ctx)
	switch {
	case err == nil:
		status.Versions.Planec = buildinfo.Version()
		return status, nil
	case !errors.Is(err, api.ErrNoAgent):
		return status, err
	case running != nil:
		reason := running.Error() + ", and does not answer: it starts or ends, is of an older version, or has another --state-dir"
		return api.Status{State: api.Starting, Reasons: []string{reason}, Versions: versions(), Findings: []api.Finding{}}, nil
	}
	return c.withoutAgent(ctx)
}

// withoutAgent compares the kernel with the record.
func (c *statusCommand) withoutAgent(ctx context.Context) (api.Status, error) {
	s := api.Status{Versions: versions(), Findings: []api.Finding{}}
	if note := unconfirmed(c.stateDir); note != "" {
		s.Reasons = []string{note}
	}
	a := newApplier(c.stateDir, "")
	last, err := a.Last()
	if errors.Is(err, applier.ErrNoRecord) {
		s.State = api.Nothing
		s.Reasons = append(s.Reasons, err.Error())
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Backend, s.LastChange = last.Backend, a.Applied()
	p, err := a.Plan(ctx, last)
	if err != nil {
		return s, err
	}
	if s.Programs, err = a.Programs(ctx, last.Backend); err != nil {
		return s, err
	}
	now := time.Now().UTC()
	s.LastCompared = &now
	if s.State, s.InSync = api.InSync, true; !p.Empty() {
		s.State, s.InSync, s.Differences = api.Differs, false, p.Steps()
	}
	return s, nil
}

// versions are the versions that are known without an agent.
func versions() api.Versions {
	return api.Versions{Planec: buildinfo.Version(), Kernel: buildinfo.KernelRelease()}
}

func (c *statusCommand) print(s *api.Status) error {
	var err error
	if c.format == "json" {
		e := json.NewEncoder(c.streams.Out)
		e.SetIndent("", "  ")
		err = e.Encode(s)
	} else {
		err = c.streams.forPeople("text", func(w io.Writer) error { return writeStatus(w, s, time.Now()) })
	}
	if err != nil {
		return written(err)
	}
	if !s.InSync {
		return finding()
	}
	return nil
}
