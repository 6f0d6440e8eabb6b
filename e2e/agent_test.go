package e2e_test

import (
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/agent"
)

// TestAgent is TestKubeProxy with planec's own agent, which is also killed and
// started again: it goes on with the rules it finds, and writes none of them.
func TestAgent(t *testing.T) {
	for _, backend := range []string{"nftables", "iptables", "ebpf"} {
		t.Run(backend, func(t *testing.T) {
			s := newProgrammedStand(t, tools...)
			first := s.serve(t, "first", "10.96.0.10")
			a := agent.New(t, s.node, s.agentOptions(t, backend))
			start(t, a)
			served(within(t, 10*time.Second), t, idle{s.rig}, first)
			throughFaults(t, s, first)
			if v := values(t, a); v.Sum(agent.Failures) > 0 || v.Sum(agent.Drifts) > 0 {
				t.Errorf("%v failed applies, %v repairs", v.Sum(agent.Failures), v.Sum(agent.Drifts))
			}

			killed(t, s, a.Program, first)
			s.same(t, a)
			must(t, a.Ready(within(t, time.Minute)))
			served(within(t, 10*time.Second), t, idle{s.rig}, s.serve(t, "after-agent", "10.96.0.15"))
		})
	}
}
