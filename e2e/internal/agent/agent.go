// Package agent runs planec-agent in a node's namespace.
package agent

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/process"
	"github.com/planec/planec/e2e/internal/programs"
	"github.com/planec/planec/internal/testing/testkit"
)

// Options are the agent's settings.
type Options struct {
	Node, Backend, Kubeconfig, ClusterCIDR string // its --node, --backend, --kubeconfig and --cluster-cidr
	// StateDir keeps state between runs of the agent; "" is a directory of the test.
	StateDir string
	// Cgroup is its --cgroup; "" gives none.
	Cgroup string
	// Flags are additional flags.
	Flags []string
	// Binary is the agent's program; "" builds the current one.
	Binary string
	// Wrap is a command that runs the agent: its words precede the agent's.
	Wrap []string
}

// Agent is a planec-agent with the faults of a [process.Program].
type Agent struct {
	*process.Program
	in     *process.Namespace
	argv   []string
	client *http.Client
}

// The default addresses of the agent's health and metrics servers.
const (
	Healthz = "http://127.0.0.1:10256"
	Metrics = "http://127.0.0.1:10249"
)

// New builds the agent and prepares it. Start starts it, also again after it
// was killed.
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
	if o.Backend == "ebpf" {
		if err := testkit.NotRoot(o.Cgroup); err != nil {
			t.Fatal(err)
		}
		argv = append(argv, "--cgroup="+o.Cgroup)
	}
	argv = append(slices.Clone(o.Wrap), append(argv, o.Flags...)...)
	return &Agent{
		Program: process.New(t, in, "planec-agent", nil, argv...),
		in:      in, argv: argv, client: in.HTTP(),
	}
}

// Ready waits until the agent reports that it is healthy.
func (a *Agent) Ready(ctx context.Context) error {
	return a.Until(ctx, func() error {
		_, err := process.Get(ctx, a.client, Healthz+"/healthz", "")
		return err
	})
}

// Health is the response of /healthz.
type Health struct {
	CurrentTime time.Time `json:"currentTime"` // when the agent answered
	LastUpdated time.Time `json:"lastUpdated"` // when the rules last changed
	Healthy     bool      `json:"healthy"`     // whether the HTTP status was 200
}

// Health queries the agent's health.
func (a *Agent) Health(ctx context.Context) (h Health, err error) {
	text, err := process.Get(ctx, a.client, Healthz+"/healthz", "")
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal([]byte(text), &h)
}

// Cleanup runs `planec-agent --cleanup`.
func (a *Agent) Cleanup() error {
	return a.in.Run(append(slices.Clone(a.argv), "--cleanup")...)
}
