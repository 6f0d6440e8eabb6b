package e2e_test

import (
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/kubeproxy"
	"github.com/planec/planec/internal/testing/testkit"
)

// TestKubeProxy puts the stand itself to the test, without anything of planec's:
// objects written to the real API server become connections through the real
// kube-proxy, and what kube-proxy is good for, the stand sees.
func TestKubeProxy(t *testing.T) {
	for _, mode := range kubeproxy.Modes() {
		t.Run(string(mode), func(t *testing.T) {
			s := newStand(t, mode.Tools()...)
			kubeconfig, err := s.KubeProxyKubeconfig()
			must(t, err)
			first := s.serve(t, "first", "10.96.0.10")
			p := kubeproxy.Start(t, s.node, kubeproxy.Options{Mode: mode, Node: nodeName, Kubeconfig: kubeconfig, ClusterCIDR: podCIDRs})
			must(t, p.Synced(within(t, time.Minute)))
			served(within(t, 10*time.Second), t, idle{s.rig}, first)
			throughFaults(t, s, first)
			killed(t, s, p.Program, first)

			must(t, p.Cleanup(t))
			// The world answers at any address: without rules, at the Service's.
			outcomes, err := idle{s.rig}.Try(t.Context(), []testkit.Flow{first})
			must(t, err)
			if outcomes[0].Endpoint != first.Destination() {
				t.Errorf("after the clean-up: %v", outcomes[0])
			}
		})
	}
}
