package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/internal/agentapi"
	"github.com/planec/planec/internal/applier"
	"github.com/planec/planec/internal/nodelock"
)

// agentOf finds the agent of this node, which shares a state directory or /run/planec.
// A nil error of running says that the locks know of no agent.
func agentOf(stateDir string) (c *agentapi.Client, running error) {
	n, err := nodelock.On(stateDir)
	if err != nil {
		return &agentapi.Client{}, nil
	}
	return &agentapi.Client{Sockets: n.Sockets()}, n.RunningAgent()
}

// plan compares the kernel with what was given, with what a running agent serves, or
// with what was applied last.
func (t *target) plan(ctx context.Context, a *applier.Applier, s *Streams) (applier.Plan, error) {
	if len(t.paths) == 0 && t.artifact == "" {
		c, running := agentOf(t.stateDir)
		p, err := besideAgent(ctx, a, c)
		switch {
		case err == nil:
			return p, nil
		case !errors.Is(err, agentapi.ErrNoAgent):
			return nil, systemError(err)
		case running != nil:
			return nil, systemError(fmt.Errorf("%w, and its socket is not there: give -f or --artifact, or its --state-dir", running))
		}
	}
	e, err := t.entryOrLast(a, s)
	if err != nil {
		return nil, err
	}
	p, err := a.Plan(ctx, e)
	if err != nil {
		return nil, systemError(err)
	}
	return p, nil
}

// looks bounds how often the kernel is compared anew because the agent changed the
// rules meanwhile.
const looks = 10

// besideAgent compares the kernel with what the agent serves. A difference counts when
// the agent wants the same rules after the comparison as before it.
func besideAgent(ctx context.Context, a *applier.Applier, c *agentapi.Client) (applier.Plan, error) {
	want, err := c.Serving(ctx)
	if err != nil {
		return nil, err
	}
	for look := 1; ; look++ {
		p, err := a.Plan(ctx, applier.Entry{Backend: want.Backend, Artifact: want.Artifact})
		if err != nil {
			return nil, err
		}
		if p.Empty() {
			return p, nil
		}
		after, err := c.Serving(ctx)
		if err != nil {
			return nil, err
		}
		if after.Changes == want.Changes {
			return p, nil
		}
		if look == looks {
			return nil, fmt.Errorf("the agent changes the rules faster than they can be compared (%d comparisons)", looks)
		}
		want = after
	}
}
