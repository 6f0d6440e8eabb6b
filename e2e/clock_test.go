package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/e2e/internal/programs"
	"github.com/planec/planec/e2e/internal/traffic"
)

// TestClock moves the wall clock of the agent forwards and back while connections
// are made, each time with a new connection to the API server. The API server's
// certificate, made when it started, bounds how far back is possible: an hour.
func TestClock(t *testing.T) {
	s := newStand(t, tools...)
	first := s.serve(t, "first", "10.96.0.10")
	o := s.agentOptions(t, "nftables")
	o.Binary = programs.Skewed(t, "planec-agent")
	file := filepath.Join(t.TempDir(), "skew")
	o.Wrap = []string{"env", programs.SkewVariable + "=" + file}
	a := agent.New(t, s.node, o)
	start(t, a)
	load := traffic.Start(t, s.rig, fromAll(first)...)
	for i, skew := range []time.Duration{50 * time.Minute, -50 * time.Minute, 30 * 24 * time.Hour, 0} {
		must(t, os.WriteFile(file, fmt.Appendf(nil, "%d", int(skew.Seconds())), 0o600))
		must(t, a.Signal(syscall.SIGUSR1))
		s.awaitClock(t, a, skew)
		must(t, a.Ready(within(t, time.Second)))
		served(within(t, 10*time.Second), t, load, s.serve(t, fmt.Sprintf("moved-%d", i), fmt.Sprintf("10.96.0.%d", 20+i)))
		must(t, s.APIServer.Restart(within(t, time.Minute)))
		served(within(t, time.Minute), t, load, s.serve(t, fmt.Sprintf("after-%d", i), fmt.Sprintf("10.96.0.%d", 30+i)))
		must(t, a.Ready(within(t, time.Second)))
	}
	if n := values(t, a).Sum(agent.Failures); n > 0 {
		t.Errorf("%v failed applies", n)
	}
	perfect(t, load)
	o.Binary, o.Wrap = "", nil
	must(t, a.Kill())
	s.same(t, agent.New(t, s.node, o))
}

// awaitClock waits until the agent has another time than this test.
func (s *stand) awaitClock(t *testing.T, a *agent.Agent, skew time.Duration) {
	t.Helper()
	for ctx := within(t, 5*time.Second); ; time.Sleep(20 * time.Millisecond) {
		report, err := a.Health(ctx)
		must(t, err)
		off := time.Until(report.CurrentTime) - skew
		if off.Abs() < 10*time.Second {
			if strings.Contains(a.Log(), "ERROR") {
				t.Error("the agent logs an error")
			}
			return
		}
	}
}
