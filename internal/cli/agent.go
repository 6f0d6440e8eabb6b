//go:build !js

package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/internal/agent/api"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/nodelock"
)

// agentOf returns a client for the agent of this node, which shares a state directory
// or /run/planec. If running is nil, the locks show no agent.
func agentOf(stateDir string) (c *api.Client, running error) {
	n, err := nodelock.On(stateDir)
	if err != nil {
		return &api.Client{}, nil
	}
	return &api.Client{Sockets: n.Sockets()}, n.RunningAgent()
}

// plan compares the kernel with the given input, with what a running agent serves,
// or with the last applied rules.
func (t *target) plan(ctx context.Context, a *applier.Applier, s *Streams) (applier.Plan, *compiled, error) {
	if len(t.paths) == 0 && t.artifact == "" {
		c, running := agentOf(t.stateDir)
		p, e, err := besideAgent(ctx, a, c)
		switch {
		case err == nil:
			return p, &compiled{Entry: e}, errors.Join(t.isOf(e.Backend, "the agent serves"), checkCgroup(t.cgroup, e.Backend))
		case !errors.Is(err, api.ErrNoAgent):
			return nil, nil, systemError(err)
		case running != nil:
			return nil, nil, systemError(fmt.Errorf("%w, and its socket is not there: give -f or --artifact, or its --state-dir", running))
		}
	}
	e, err := t.entryOrLast(a, s)
	if err != nil {
		return nil, nil, err
	}
	if err := errors.Join(t.isOf(e.Backend, "what was applied last is of"), checkCgroup(t.cgroup, e.Backend)); err != nil {
		return nil, nil, err
	}
	p, err := a.PlanSwitch(ctx, e.Entry)
	if err != nil {
		return nil, nil, systemError(err)
	}
	return p, e, nil
}

// isOf wants the backend that was asked for, if any.
func (t *target) isOf(backend, who string) error {
	if t.backend == "" || t.backend == backend {
		return nil
	}
	return inputError(fmt.Errorf("--backend %s: %s %s", t.backend, who, backend))
}

// looks bounds how often the comparison is repeated because the agent changed the
// rules meanwhile.
const looks = 10

// besideAgent compares the kernel with what the agent serves. A difference counts only
// if the agent wants the same rules before and after the comparison.
func besideAgent(ctx context.Context, a *applier.Applier, c *api.Client) (applier.Plan, applier.Entry, error) {
	want, err := c.Serving(ctx)
	if err != nil {
		return nil, applier.Entry{}, err
	}
	for look := 1; ; look++ {
		e := applier.Entry{Backend: want.Backend, Artifact: want.Artifact}
		p, err := a.PlanSwitch(ctx, e)
		if err != nil {
			return nil, applier.Entry{}, err
		}
		if p.Empty() {
			return p, e, nil
		}
		after, err := c.Serving(ctx)
		if err != nil {
			return nil, applier.Entry{}, err
		}
		if after.Changes == want.Changes {
			return p, e, nil
		}
		if look == looks {
			return nil, applier.Entry{}, fmt.Errorf("the agent changes the rules faster than they can be compared (%d comparisons)", looks)
		}
		want = after
	}
}
