package dataplane_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/session"
	"github.com/planec/planec/internal/testing/testkit"
)

var (
	changes = flag.Int("changes", 60, "how many random changes are applied at least while connections are made")
	lasting = flag.Duration("lasting", 0, "how long they are made at least")
)

// wholeEvery is how often a change is applied whole: read, planned and verified.
const wholeEvery = 5

// TestUndisturbed makes connections without a pause to Services that stay, while
// random changes to others are applied, by the short way and whole: none may fail.
func TestUndisturbed(t *testing.T) {
	direct := ebpfPlane(t)
	direct.name, direct.direct = "ebpf, direct", true
	for _, p := range append(planes(), ebpfPlane(t), direct) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			undisturbed(t, p)
		})
	}
}

// soak is what is changed while connections are made.
type soak struct {
	traffic
	session *session.Session

	applied, whole, steps int
}

func undisturbed(t *testing.T, p plane) *soak {
	t.Helper()
	testkit.Require(t, p.tools...)
	set, config := steadyCluster()
	x := compiler.NewIncremental(&set, nodeName, config)
	s := &soak{traffic: newTraffic(t, x.Program(), p)}
	o := backends.DefaultOptions()
	o.DirectPods = p.direct
	selected, err := registry.Select(o, p.backend)
	if err != nil {
		t.Fatal(err)
	}
	a := applier.New(map[string]applier.Dataplane{p.backend: p.make()}, applier.NewRecord(t.TempDir()))
	s.session = session.New(x, selected[0], a)
	w := newWorker(t, s.rig)
	if err := w.do(func() error { _, err := s.session.Apply(t.Context()); return err }); err != nil {
		t.Fatal(err)
	}
	s.during(t, w, func() error { return s.change(t) })
	t.Logf("%s: %d changes (%d whole, %d steps), %d connections, %d failed, %v", p.name, s.applied, s.whole, s.steps, s.connections, s.failed, s.took.Round(time.Second/10))
	t.Log(s.endsOfConnections())
	if s.connections < 100 {
		t.Errorf("only %d connections", s.connections)
	}
	return s
}

// change applies random changes.
func (s *soak) change(t *testing.T) error {
	rng := rand.New(rand.NewPCG(1, 2))
	for start := time.Now(); s.applied < *changes || time.Since(start) < *lasting; s.applied++ {
		s.step.Store(fmt.Sprintf("change %d", s.applied))
		p, err := s.session.Update(t.Context(), otherUpdate(rng))
		if err == nil {
			s.steps += len(p.Steps())
		}
		if err == nil && s.applied%wholeEvery == 0 {
			s.whole++
			s.step.Store(fmt.Sprintf("whole apply after change %d", s.applied))
			p, err = s.session.Apply(t.Context())
			if err == nil && !p.Empty() {
				err = fmt.Errorf("the short way has left %q", p.Steps())
			}
		}
		if err != nil {
			return fmt.Errorf("change %d: %w", s.applied, err)
		}
	}
	return nil
}
