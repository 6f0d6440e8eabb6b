package dataplane

import (
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/backends/nftables/live"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
)

// TestCleanLeavesThePacketsWayFirst wants the tables of nftables to be removed in two
// transactions: a packet that is on its way through a table that goes at once finds the
// table's sets empty.
func TestCleanLeavesThePacketsWayFirst(t *testing.T) {
	rig := testkit.New(t, testkit.Spec{})
	a, err := nftables.New(backends.DefaultOptions()).Emit(irtest.KitchenSink())
	if err != nil {
		t.Fatal(err)
	}
	d := All()["nftables"]
	do := func(f func() error) {
		t.Helper()
		if err := rig.Do(f); err != nil {
			t.Fatal(err)
		}
	}
	generation := func() uint32 {
		var s *live.State
		do(func() (err error) { s, err = live.Observe(t.Context()); return err })
		return s.Generation
	}
	do(func() error {
		p, err := d.Plan(t.Context(), a)
		if err != nil {
			return err
		}
		return p.Apply(t.Context())
	})
	var left, removed []string
	do(func() (err error) { left, err = d.Left(t.Context()); return err })
	for _, transactions := range []uint32{2, 0} {
		before := generation()
		do(func() (err error) { removed, err = d.Clean(t.Context()); return err })
		if got := generation() - before; got != transactions {
			t.Errorf("%d transactions, want %d", got, transactions)
		}
		if !slices.Equal(removed, left) || len(left) != int(transactions) {
			t.Errorf("removed %q of %q", removed, left)
		}
		left = nil
	}
}
