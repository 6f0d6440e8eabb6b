package dataplane_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/planec/planec/internal/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// traffic is connections to Services that stay, made without a pause.
type traffic struct {
	rig     *testkit.Rig
	flows   []testkit.Flow
	program *ir.Program
	// step is what is applied now, for messages.
	step *atomic.Value

	connections, failed int
	took                time.Duration
}

func newTraffic(t *testing.T, p *ir.Program) traffic {
	t.Helper()
	flows := steadyFlows()
	return traffic{rig: testkit.New(t, testkit.SpecFor(p, flows)), flows: flows, program: p, step: &atomic.Value{}}
}

// during makes connections while f runs in the node's namespace.
func (s *traffic) during(t *testing.T, w *worker, f func() error) {
	t.Helper()
	var done atomic.Bool
	result := make(chan error, 1)
	start := time.Now()
	go func() {
		defer done.Store(true)
		result <- w.do(f)
	}()
	for !done.Load() {
		s.connect(t)
	}
	s.took = time.Since(start)
	if err := <-result; err != nil {
		t.Fatal(err)
	}
}

// connect makes one connection of each kind, all at once.
func (s *traffic) connect(t *testing.T) {
	t.Helper()
	before, start := s.step.Load(), time.Now()
	got, err := s.rig.Try(t.Context(), s.flows, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	evaluate := eval.New(s.program).Eval
	for i, o := range got {
		s.connections++
		f := s.flows[i]
		if err := testkit.Compare(f, evaluate(s.rig.Packet(f)), o, s.program.Node.Addresses); err != nil {
			s.failed++
			t.Errorf("%v: %v (between %v and %v, %v)", f, err, before, s.step.Load(), time.Since(start))
		}
	}
}
