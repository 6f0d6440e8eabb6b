package e2e_test

import (
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/kubeproxy"
	"github.com/planec/planec/e2e/internal/traffic"
	"github.com/planec/planec/internal/testkit"
)

// TestKubeProxy puts the stand itself to the test, without anything of planec's:
// objects written to the real API server become connections through the real
// kube-proxy, which lose nothing while the control plane is killed and hangs.
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
			load := traffic.Start(t, s.rig, first)

			ctx := within(t, 2*time.Minute)
			must(t, s.APIServer.Kill())
			time.Sleep(200 * time.Millisecond)
			must(t, s.APIServer.Start(ctx))
			served(ctx, t, load, s.serve(t, "after-api-server", "10.96.0.11"))
			must(t, s.Etcd.Restart(ctx))
			must(t, s.APIServer.Ready(ctx))
			served(ctx, t, load, s.serve(t, "after-etcd", "10.96.0.12"))
			must(t, s.ExpireWatches(ctx))
			served(ctx, t, load, s.serve(t, "after-expiry", "10.96.0.13"))
			must(t, p.Kill())
			time.Sleep(200 * time.Millisecond) // its rules stay

			report, err := load.Stop()
			must(t, err)
			t.Log(report)
			must(t, report.Perfect())
			if len(report.By) != len(pods) {
				t.Errorf("answers by %v, want both pods'", report.By)
			}
			usage(t, s)
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

// usage logs what the control plane takes.
func usage(t *testing.T, s *stand) {
	t.Helper()
	e, err := s.Etcd.Usage()
	must(t, err)
	a, err := s.APIServer.Usage()
	must(t, err)
	v, err := s.Version()
	must(t, err)
	t.Logf("etcd: %d MB; kube-apiserver %s: %d MB, %v of CPU", e.RSS>>20, v, a.RSS>>20, a.CPU)
}
