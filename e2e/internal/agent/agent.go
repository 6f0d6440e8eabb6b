// Package agent runs planec-agent in a node's namespace.
package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/process"
	"github.com/planec/planec/e2e/internal/programs"
)

// Options are what the agent is started with.
type Options struct {
	Node, Backend, Kubeconfig, ClusterCIDR string // its --node, --backend, --kubeconfig and --cluster-cidr
	// StateDir outlives the agent's runs: the test's own if it is empty.
	StateDir string
	// Flags are any others.
	Flags []string
	// Binary is the agent to run: one that is built now if it is empty.
	Binary string
	// Wrap is a program that runs the agent: its words come before the agent's.
	Wrap []string
}

// Agent is a planec-agent with the faults of a [process.Program].
type Agent struct {
	*process.Program
	in     *process.Namespace
	argv   []string
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
	if o.Binary == "" {
		o.Binary = programs.Own(t, "planec-agent")
	}
	argv := []string{
		o.Binary,
		"--node=" + o.Node, "--backend=" + o.Backend, "--kubeconfig=" + o.Kubeconfig,
		"--cluster-cidr=" + o.ClusterCIDR, "--state-dir=" + o.StateDir,
	}
	argv = append(argv, o.Flags...)
	return &Agent{
		Program: process.New(t, in, "planec-agent", nil, append(slices.Clone(o.Wrap), argv...)...),
		in:      in, argv: argv, client: in.HTTP(),
	}
}

// Ready waits until the agent says that it is healthy.
func (a *Agent) Ready(ctx context.Context) error {
	return a.until(ctx, func() error {
		_, err := a.get(ctx, Healthz+"/healthz")
		return err
	})
}

// Health is what /healthz says.
type Health struct {
	CurrentTime time.Time `json:"currentTime"` // when it was asked
	LastUpdated time.Time `json:"lastUpdated"` // when rules were changed last
	Healthy     bool      `json:"healthy"`     // whether the status was 200
}

// Health asks for the agent's health.
func (a *Agent) Health(ctx context.Context) (h Health, err error) {
	text, err := a.get(ctx, Healthz+"/healthz")
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal([]byte(text), &h)
}

// Cleanup runs `planec-agent --cleanup`.
func (a *Agent) Cleanup() error {
	var out bytes.Buffer
	cmd := exec.Command(a.argv[0], append(a.argv[1:len(a.argv):len(a.argv)], "--cleanup")...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := a.in.Do(cmd.Start)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return fmt.Errorf("planec-agent --cleanup: %w\n%s", err, out.Bytes())
	}
	return nil
}
