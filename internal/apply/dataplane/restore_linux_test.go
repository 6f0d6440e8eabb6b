package dataplane_test

import (
	"context"
	"slices"
	"testing"

	"github.com/planec/planec/internal/apply/applier"
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
	other := applier.New(map[string]applier.Dataplane{"nftables": planes()[0].make(), p.backend: p.make()}, applier.NewRecord(t.TempDir()))
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

// TestRestoresAnotherBackend goes back from one backend to another that had served.
func TestRestoresAnotherBackend(t *testing.T) {
	all := planes()
	for _, pair := range [][2]plane{{all[0], all[1]}, {all[0], all[2]}, {all[0], ebpfPlane(t)}, {ebpfPlane(t), all[0]}, {ebpfPlane(t), all[1]}, {all[1], ebpfPlane(t)}} {
		had, other := pair[0], pair[1]
		t.Run(had.name+" from "+other.name, func(t *testing.T) {
			t.Parallel()
			testkit.Require(t, slices.Concat(had.tools, other.tools, []string{"ipset", "iptables-legacy-save", "iptables-nft-save"})...)
			places := other
			if had.Dir != "" {
				places = had
			}
			r := testkit.New(t, testkit.Spec{})
			a := applier.New(map[string]applier.Dataplane{"nftables": all[0].make(), had.backend: had.make(), other.backend: other.make()}, applier.NewRecord(t.TempDir()))
			apply(t, r, a, emitted(t, had.backend, 1))
			var s *applier.Snapshot
			err := r.Do(func() (err error) {
				if s, err = a.Snapshot(t.Context(), other.backend); err == nil {
					_, err = a.Install(t.Context(), emitted(t, other.backend, 2))
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			wantOnly(t, r, other, places)
			err = r.Do(func() error {
				if err := a.Restore(t.Context(), s); err != nil {
					return err
				}
				return a.Verify(t.Context(), emitted(t, had.backend, 1))
			})
			if err != nil {
				t.Fatal(err)
			}
			wantOnly(t, r, had, places)
		})
	}
}
