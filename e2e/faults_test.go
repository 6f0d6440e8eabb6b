package e2e_test

import (
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/process"
	"github.com/planec/planec/e2e/internal/traffic"
	"github.com/planec/planec/internal/testing/testkit"
)

// pause is how long something stays away: connections go on meanwhile.
const pause = 300 * time.Millisecond

// throughFaults breaks the control plane in each way while connections are made
// to a Service that does not change, and wants them all to go well. After each
// fault a new Service must be served: who makes the rules has got over it.
func throughFaults(t testing.TB, s *stand, unchanged testkit.Flow) {
	t.Helper()
	load := traffic.Start(t, s.rig, fromAll(unchanged)...)
	ctx := within(t, 3*time.Minute)
	works := func(name, ip string) { served(ctx, t, load, s.serve(t, name, ip)) }

	must(t, s.APIServer.Kill())
	time.Sleep(pause)
	must(t, s.APIServer.Start(ctx))
	works("after-api-server", "10.96.0.11")

	must(t, s.Etcd.Stop())
	time.Sleep(pause)
	must(t, s.Etcd.Continue())
	must(t, s.APIServer.Ready(ctx))
	works("after-hang", "10.96.0.12")

	must(t, s.Etcd.Restart(ctx))
	must(t, s.APIServer.Ready(ctx))
	works("after-etcd", "10.96.0.13")

	must(t, s.ExpireWatches(ctx))
	works("after-expiry", "10.96.0.14")
	perfect(t, load)
	usage(t, s)
}

// killed kills a program while connections are made: its rules stay.
func killed(t testing.TB, s *stand, p *process.Program, unchanged testkit.Flow) {
	t.Helper()
	load := traffic.Start(t, s.rig, fromAll(unchanged)...)
	must(t, p.Kill())
	time.Sleep(pause)
	perfect(t, load)
}

// perfect ends a load and wants every connection to have gone well, with the
// pods taking turns.
func perfect(t testing.TB, load *traffic.Load) {
	t.Helper()
	report, err := load.Stop()
	must(t, err)
	t.Log(report)
	if err := report.Perfect(); err != nil {
		t.Error(err)
	}
	if len(report.By) != len(pods) {
		t.Errorf("answers by %v, want both pods'", report.By)
	}
}

// usage logs what the control plane takes.
func usage(t testing.TB, s *stand) {
	t.Helper()
	e, err := s.Etcd.Usage()
	must(t, err)
	a, err := s.APIServer.Usage()
	must(t, err)
	v, err := s.Version()
	must(t, err)
	t.Logf("etcd: %d MB; kube-apiserver %s: %d MB, %v of CPU", e.RSS>>20, v, a.RSS>>20, a.CPU)
}
