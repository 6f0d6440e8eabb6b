// Package agent runs planec-agent in a node's namespace.
package agent

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/process"
	"github.com/planec/planec/e2e/internal/programs"
)

// Options are what the agent is started with.
type Options struct {
	Node, Backend, Kubeconfig, ClusterCIDR string
	// StateDir outlives the agent's runs: the test's own if it is empty.
	StateDir string
	// Flags are any others.
	Flags []string
}

// Agent is a planec-agent with the faults of a [process.Program].
type Agent struct {
	*process.Program
	client *http.Client
}

// Where the agent serves its health and metrics when no flag says otherwise.
const (
	Healthz = "http://127.0.0.1:10256"
	Metrics = "http://127.0.0.1:10249"
)

// New builds the agent and prepares it; Start starts it, as often as it is
// killed.
func New(t testing.TB, in *process.Namespace, o Options) *Agent {
	t.Helper()
	if o.StateDir == "" {
		o.StateDir = t.TempDir()
	}
	argv := []string{
		programs.Own(t, "planec-agent"),
		"--node=" + o.Node, "--backend=" + o.Backend, "--kubeconfig=" + o.Kubeconfig,
		"--cluster-cidr=" + o.ClusterCIDR, "--state-dir=" + o.StateDir,
	}
	return &Agent{
		Program: process.New(t, in, "planec-agent", nil, append(argv, o.Flags...)...),
		client:  in.HTTP(),
	}
}

// Ready waits until the agent says that it is healthy.
func (a *Agent) Ready(ctx context.Context) error {
	for {
		err := a.healthy(ctx)
		if err == nil {
			return nil
		}
		if !a.Running() {
			return fmt.Errorf("the agent ended: %w", a.Wait(0))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the agent: %w (%w)", err, context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (a *Agent) healthy(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, Healthz+"/healthz", nil)
	if err != nil {
		return err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("/healthz: %s", resp.Status)
	}
	return nil
}
