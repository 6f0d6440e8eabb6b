package dataplane_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/session"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/testkit"
)

var histories = flag.Int("histories", 60, "how many random histories of changes are applied")

// stepsOfHistory is how many changes a history has.
const stepsOfHistory = 6

// counting is a dataplane with a short way that counts how often it is gone, and
// how often the kernel is read.
type counting struct {
	applier.Dataplane
	fragments, short, read int
}

func (c *counting) Plan(ctx context.Context, a backends.Artifact) (applier.Plan, error) {
	c.read++
	return c.Dataplane.Plan(ctx, a)
}

func (c *counting) Change(before, after backends.Artifact) (applier.Plan, error) {
	p, err := c.Dataplane.Change(before, after)
	if err == nil {
		c.fragments++
	}
	return p, err
}

func (c *counting) Replace(a backends.Artifact) (applier.Plan, error) {
	c.short++
	return c.Dataplane.Replace(a)
}

// TestHistories applies random histories of changes by the short way: after each
// the kernel is what one whole apply of the same objects would make it.
func TestHistories(t *testing.T) {
	for _, p := range append(planes(), ebpfPlane(t)) {
		if p.backend == "nftables" {
			continue // internal/apply/session has its histories
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			n := *histories
			if p.backend == "ebpf" {
				n = (n + 2) / 3 // it waits for the kernel's grace periods most of the time
			}
			manyHistories(t, p, n)
		})
	}
}

func manyHistories(t *testing.T, p plane, n int) {
	t.Helper()
	testkit.Require(t, p.tools...)
	r := testkit.New(t, testkit.Spec{NodeAddrs: []netip.Addr{netip.MustParseAddr("192.0.2.11")}})
	selected, err := registry.Select(backends.DefaultOptions(), p.backend)
	if err != nil {
		t.Fatal(err)
	}
	var sum tally
	for seed := range uint64(n) {
		err := r.Do(func() error {
			return sum.history(t, seed, p, selected[0])
		})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	t.Logf("%s: %d histories, %d changes, %d by fragments, %d whole without a look at the kernel, %d steps", p.name, n, n*stepsOfHistory, sum.fragments, sum.short, sum.steps)
	if sum.short < n || sum.fragments < n/3 {
		t.Error("the short ways are hardly gone")
	}
}

// tally counts what histories did.
type tally struct{ fragments, short, steps int }

// history is one.
func (n *tally) history(t *testing.T, seed uint64, p plane, b backends.Backend) error {
	rng := rand.New(rand.NewPCG(seed, 43))
	c := randomcluster.New(seed)
	set := c.Objects
	x := compiler.NewIncremental(&set, randomcluster.Node, c.Config)
	d := &counting{Dataplane: p.make()}
	a := applier.New(map[string]applier.Dataplane{p.backend: d}, applier.NewRecord(t.TempDir()))
	s := session.New(x, b, a)
	if _, err := s.Apply(t.Context()); err != nil {
		return err
	}
	for range stepsOfHistory {
		read := d.read
		plan, err := s.Update(t.Context(), update(rng, seed))
		if err != nil {
			return err
		}
		if d.read > read {
			return fmt.Errorf("the kernel was read for %q", plan.Steps())
		}
		n.steps += len(plan.Steps())
		artifact, err := b.Emit(x.Program())
		if err != nil {
			return err
		}
		if err := a.Verify(t.Context(), applier.Entry{Backend: p.backend, Artifact: artifact}); err != nil {
			return fmt.Errorf("after %q: %w", plan.Steps(), err)
		}
	}
	n.fragments, n.short = n.fragments+d.fragments, n.short+d.short
	_, err := a.Clean(t.Context(), p.backend)
	return err
}

// update takes objects from another random cluster: one or two Services or slices,
// or all policies; or it takes endpoints from a slice of its own.
func update(rng *rand.Rand, seed uint64) compiler.Update {
	if rng.IntN(2) == 0 {
		own := randomcluster.New(seed).Objects.EndpointSlices
		s := own[rng.IntN(len(own))]
		changed := *s.Object
		changed.Endpoints = nil
		for _, e := range s.Object.Endpoints {
			if rng.IntN(3) > 0 {
				changed.Endpoints = append(changed.Endpoints, e)
			}
		}
		s.Object = &changed
		return compiler.Update{Slices: []compiler.SliceUpdate{{Name: objects.NameOf(&changed), Slice: s}}}
	}
	v := randomcluster.New(seed + 1000 + 2*rng.Uint64N(4)).Objects
	var u compiler.Update
	for range 1 + rng.IntN(2) {
		switch rng.IntN(6) {
		case 0:
			s := v.Services[rng.IntN(len(v.Services))]
			u.Services = append(u.Services, compiler.ServiceUpdate{Name: objects.NameOf(s.Object), Service: s})
		case 1:
			s := v.Services[rng.IntN(len(v.Services))]
			u.Services = append(u.Services, compiler.ServiceUpdate{Name: objects.NameOf(s.Object)})
		default:
			s := v.EndpointSlices[rng.IntN(len(v.EndpointSlices))]
			u.Slices = append(u.Slices, compiler.SliceUpdate{Name: objects.NameOf(s.Object), Slice: s})
		}
	}
	if rng.IntN(8) == 0 {
		v.Services, v.EndpointSlices = nil, nil
		u.Others = &v
	}
	return u
}
