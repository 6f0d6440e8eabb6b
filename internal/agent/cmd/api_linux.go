package cmd

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/planec/planec/internal/agent/api"
	"github.com/planec/planec/internal/agent/health"
	"github.com/planec/planec/internal/agent/listener"
	"github.com/planec/planec/internal/agent/loop"
	"github.com/planec/planec/internal/apply/nodelock"
	"github.com/planec/planec/internal/base/buildinfo"
)

// answer serves the commands of this node on the agent's sockets until stop. One
// socket suffices: a container may share only one directory with its node.
func (s *service) answer(a *loop.Agent) (stop func()) {
	n, err := nodelock.On(s.options.stateDir)
	if err != nil {
		s.log.Warn("planec status and verify cannot ask this agent", "error", err)
		return func() {}
	}
	uncounted := func(string) {} // a look at this node is none of a load balancer
	more := s.metricsHandler(health.Handler(s.report.status, uncounted, uncounted))
	h := api.Handler(s.status, func(ctx context.Context) (api.Serving, error) {
		got, err := a.Serving(ctx)
		return api.Serving{Backend: s.backend.Name(), Changes: got.Changes, Behind: got.Behind, Artifact: got.Artifact}, err
	}, more)
	gate := listener.NewGate(mostConnections, mostConnections)
	server := listener.NewServer(h, gate, longestProfile)
	var kept []*listener.Kept
	for _, path := range n.Sockets() {
		k, _ := listener.Keep(listener.Server{ // what fails is tried again
			Listen: func() (net.Listener, error) { return api.Listen(path) },
			Serve:  func(l net.Listener) error { return server.Serve(gate.Guard(l)) },
			Said: func(err error) {
				if err != nil {
					s.log.Info("planec status and verify cannot ask this agent here", "socket", path, "error", err)
				}
			},
		})
		kept = append(kept, k)
	}
	return func() {
		for _, k := range kept {
			k.Stop()
		}
		_ = server.Close() // clients get no more answers
	}
}

// status returns the state of the agent without asking its loop, which may be busy
// for a long time.
func (s *service) status() api.Status {
	source := s.options.manifestDir
	if source == "" {
		source = "API server"
	}
	out := api.Status{
		Agent:    &api.Agent{PID: os.Getpid(), Node: s.options.node, Source: source, Started: s.started.UTC()},
		Versions: api.Versions{Planec: buildinfo.Version(), Agent: buildinfo.Version(), Kernel: buildinfo.KernelRelease()},
		Backend:  s.backend.Name(),
		Findings: api.Findings(s.report.findings.all()),
	}
	// Three calls for each program: the loop need not be asked.
	if programs, err := s.applier.Programs(context.Background(), s.backend.Name()); err == nil {
		out.Programs = programs
	}
	failure, started := s.report.progress.fill(&out)
	out.Reasons = s.report.status.Reasons()
	waiting, since := s.inbox.Pending()
	switch {
	case failure != "":
		out.State = api.Behind
	case !started:
		out.State = api.Starting
	case waiting > 0 && time.Since(since) > 0, s.report.status.Pending():
		out.State = api.Changing
	default:
		out.State, out.InSync = api.InSync, true
	}
	return out
}

// spare reports whether the kernel serves anything by rules of any backend.
func (s *service) spare(ctx context.Context) (bool, error) {
	for _, name := range s.applier.Backends() {
		served, err := s.applier.Served(ctx, name)
		if err != nil && name == s.backend.Name() {
			return false, err
		}
		// The tools of other backends may be missing.
		if err == nil && len(served.Frontends)+len(served.Pods) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// spareFiles is spare for a file source, which waits if the answer is unknown.
func (s *service) spareFiles(ctx context.Context) func() bool {
	if s.options.keepGoing {
		return nil
	}
	return func() bool {
		spare, err := s.spare(ctx)
		return spare || err != nil && !errors.Is(err, context.Canceled)
	}
}
