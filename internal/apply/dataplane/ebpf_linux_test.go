package dataplane_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/testkit"
)

// entry is the artifact of n Services of 5 endpoints.
func entry(t testing.TB, n int) applier.Entry {
	t.Helper()
	set := clustergen.Objects(clustergen.Size{Services: n, Endpoints: 5})
	p, _ := compiler.Compile(compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name})
	a, err := ebpf.New(backends.DefaultOptions()).Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	return applier.Entry{Backend: ebpf.Name, Artifact: a}
}

// TestEBPF goes through what the applier does with a backend.
func TestEBPF(t *testing.T) {
	p := ebpfPlane(t)
	testkit.Require(t, p.tools...)
	r := testkit.New(t, testkit.Spec{})
	a := applier.New(map[string]applier.Dataplane{"nftables": planes()[0].make(), ebpf.Name: p.make()}, applier.NewRecord(t.TempDir()))
	if err := r.Do(func() error { goThrough(t, a, p.make()); return nil }); err != nil {
		t.Fatal(err)
	}
}

func goThrough(t *testing.T, a *applier.Applier, plane applier.Dataplane) {
	ctx := t.Context()
	first, second := entry(t, 20), entry(t, 30)
	for _, e := range []applier.Entry{first, second} {
		if err := a.Verify(ctx, e); !errors.Is(err, applier.ErrDrift) {
			t.Errorf("before the apply: %v", err)
		}
		if p, err := a.Apply(ctx, e); err != nil || p.Empty() {
			t.Errorf("applying: %v", err)
		}
		if p, err := a.Apply(ctx, e); err != nil || !p.Empty() {
			t.Errorf("applying again: %v", err)
		}
	}
	plan, err := a.Plan(ctx, first)
	if err != nil {
		t.Error(err)
		return
	}
	if steps := strings.Join(plan.Steps(), "\n"); !strings.Contains(steps, "map svc: ") || !strings.Contains(steps, "entries go") || !strings.Contains(steps, "table ip planec") || strings.Contains(steps, "program") {
		t.Errorf("the plan back:\n%s", steps)
	}
	if e, _, err := a.Rollback(ctx); err != nil || len(e.Artifact.Files) == 0 {
		t.Errorf("going back: %v", err)
	}
	if err := a.Verify(ctx, first); err != nil {
		t.Errorf("after going back: %v", err)
	}
	would, err := a.PreviewCleanAll(ctx)
	if err != nil || would.InSync {
		t.Errorf("looking what cleaning would remove: %v, %v", would, err)
	}
	if removed, err := a.CleanAll(ctx); err != nil || !slices.Equal(removed, would.Steps) {
		t.Errorf("cleaning: %q, %v, and not %q", removed, err, would.Steps)
	}
	if left, err := a.PreviewCleanAll(ctx); err != nil || !left.InSync {
		t.Errorf("after cleaning: %v, %v", left, err)
	}
	if _, err := plane.Plan(ctx, backends.Artifact{}); err == nil {
		t.Error("an artifact without an image has a plan")
	}
	broken := backends.Artifact{Files: slices.Clone(second.Artifact.Files)}
	broken.Files[0].Data = broken.Files[0].Data[:500]
	if _, err := plane.Plan(ctx, broken); !errors.Is(err, ebpf.ErrDigest) {
		t.Errorf("an artifact that was cut: %v", err)
	}
	lacking := backends.Artifact{Files: second.Artifact.Files[:2]}
	if _, err := plane.Plan(ctx, lacking); err == nil || !strings.Contains(err.Error(), ebpf.PacketsFile) {
		t.Errorf("an artifact without rules for packets: %v", err)
	}
}

// BenchmarkEBPF is the applier's own work with files: a restart over what is
// right reads and verifies both sides, later applies know both.
func BenchmarkEBPF(b *testing.B) {
	w := newWorker(b, testkit.New(b, testkit.Spec{}))
	for _, n := range []int{10000, 30000} {
		p, e := ebpfPlane(b), entry(b, n)
		plane := p.make()
		apply := func(b *testing.B, plane applier.Dataplane) {
			err := w.do(func() error {
				todo, err := plane.Plan(context.Background(), e.Artifact)
				if err != nil {
					return err
				}
				return todo.Apply(context.Background())
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		apply(b, plane)
		run := func(name string, fresh bool) {
			b.Run(fmt.Sprintf("services=%d/%s", n, name), func(b *testing.B) {
				before := cpu(b)
				for b.Loop() {
					again := plane
					if fresh {
						again = p.make()
					}
					apply(b, again)
				}
				b.ReportMetric(float64((cpu(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
			})
		}
		run("restart", true)
		run("unchanged", false)
	}
}

func cpu(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
