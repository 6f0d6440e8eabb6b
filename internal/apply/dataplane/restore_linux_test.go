package dataplane_test

import (
	"context"
	"testing"

	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/testing/testkit"
)

// TestRestores goes back to what the kernel had, for each backend but IPVS.
func TestRestores(t *testing.T) {
	for _, p := range append(planes(), ebpfPlane(t)) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			restores(t, p)
		})
	}
}

// TestInsideRestores does it for IPVS.
func TestInsideRestores(t *testing.T) {
	inside(t)
	restores(t, ipvsPlane())
}

// restores changes a program for random others and goes back each time, from a record
// that says something else; then from nothing.
func restores(t *testing.T, p plane) {
	r, a := node(t, p)
	other := applier.New(map[string]applier.Dataplane{p.backend: p.make()}, applier.NewRecord(t.TempDir()))
	do := func(f func(ctx context.Context) error) {
		t.Helper()
		if err := r.Do(func() error { return f(t.Context()) }); err != nil {
			t.Fatal(err)
		}
	}
	back := func(from, to applier.Entry) {
		t.Helper()
		apply(t, r, a, from)
		do(func(ctx context.Context) error {
			s, err := other.Snapshot(ctx, p.backend)
			if err != nil {
				return err
			}
			if _, err := other.Install(ctx, to); err != nil {
				return err
			}
			return other.Restore(ctx, s)
		})
		do(func(ctx context.Context) error { return a.Verify(ctx, from) })
	}
	for seed := range uint64(6) {
		back(emitted(t, p.backend, seed), emitted(t, p.backend, seed+10))
	}
	var rules applier.Plan
	do(func(ctx context.Context) error {
		if _, err := a.Clean(ctx, p.backend); err != nil {
			return err
		}
		s, err := other.Snapshot(ctx, p.backend)
		if err != nil {
			return err
		}
		first, err := other.Install(ctx, emitted(t, p.backend, 1))
		if err != nil {
			return err
		}
		if from, ok := first.(interface{ FromNothing() bool }); !ok || !from.FromNothing() {
			t.Error("the plan does not say that there was nothing before")
		}
		if err := other.Restore(ctx, s); err != nil {
			return err
		}
		rules, err = other.Plan(ctx, emitted(t, p.backend, 1))
		return err
	})
	if from, ok := rules.(interface{ FromNothing() bool }); !ok || !from.FromNothing() {
		t.Errorf("something is left after going back to nothing: %q", rules.Steps())
	}
}

// TestRestoresAnotherBackend goes back from iptables to nftables, which had served.
func TestRestoresAnotherBackend(t *testing.T) {
	for _, other := range planes()[1:] {
		t.Run(other.name, func(t *testing.T) {
			t.Parallel()
			testkit.Require(t, append(other.tools, "nft")...)
			r := testkit.New(t, testkit.Spec{})
			a := applier.New(map[string]applier.Dataplane{"nftables": dataplane.All()["nftables"], "iptables": other.make()}, applier.NewRecord(t.TempDir()))
			apply(t, r, a, emitted(t, "nftables", 1))
			var s *applier.Snapshot
			err := r.Do(func() (err error) {
				if s, err = a.Snapshot(t.Context(), "iptables"); err == nil {
					_, err = a.Install(t.Context(), emitted(t, "iptables", 2))
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			wantOneBackend(t, r, other, true)
			err = r.Do(func() error {
				if err := a.Restore(t.Context(), s); err != nil {
					return err
				}
				return a.Verify(t.Context(), emitted(t, "nftables", 1))
			})
			if err != nil {
				t.Fatal(err)
			}
			wantOneBackend(t, r, other, false)
		})
	}
}
