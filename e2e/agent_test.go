package e2e_test

import (
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/agent"
)

// TestAgent is TestKubeProxy with planec's own agent, which is also killed and
// started again: it goes on with the rules it finds.
func TestAgent(t *testing.T) {
	for _, backend := range []string{"nftables", "iptables"} {
		t.Run(backend, func(t *testing.T) {
			s := newStand(t, "nft", "ipset", "iptables-restore", "ip6tables-restore")
			kubeconfig, err := s.KubeProxyKubeconfig()
			must(t, err)
			first := s.serve(t, "first", "10.96.0.10")
			a := agent.New(t, s.node, agent.Options{Node: nodeName, Backend: backend, Kubeconfig: kubeconfig, ClusterCIDR: podCIDRs})
			must(t, a.Start())
			must(t, a.Ready(within(t, time.Minute)))
			served(within(t, 10*time.Second), t, idle{s.rig}, first)
			throughFaults(t, s, first)

			killed(t, s, a.Program, first)
			must(t, a.Start())
			must(t, a.Ready(within(t, time.Minute)))
			served(within(t, 10*time.Second), t, idle{s.rig}, s.serve(t, "after-agent", "10.96.0.15"))
		})
	}
}
