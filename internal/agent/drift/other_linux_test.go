package drift_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planec/planec/internal/agent/drift"
	"github.com/planec/planec/internal/testing/testkit"
)

// told reports whether a notice arrives.
func told(notices <-chan struct{}, within time.Duration) bool {
	select {
	case <-notices:
		return true
	case <-time.After(within):
		return false
	}
}

// TestIPTablesNFT wants changes of planec's chains and of their jumps to be
// reported once until the next Settled, but not changes of other chains.
func TestIPTablesNFT(t *testing.T) {
	testkit.Require(t, "iptables-nft", "nft")
	r := testkit.New(t, testkit.Spec{})
	run := func(name string, args ...string) {
		t.Helper()
		if err := r.Do(func() error { return exec.Command(name, args...).Run() }); err != nil {
			t.Fatalf("%s %v: %v", name, args, err)
		}
	}
	run("iptables-nft", "-t", "nat", "-N", "PLC-X")
	run("iptables-nft", "-t", "nat", "-N", "OTHER")
	w := drift.NewIPTablesNFT()
	var notices <-chan struct{}
	err := r.Do(func() (err error) {
		notices, err = w.Run(t.Context(), slog.Default())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	settle := func() {
		if err := r.Do(func() error { w.Settled(); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	run("iptables-nft", "-t", "nat", "-A", "PLC-X", "-j", "RETURN") // planec's, before it is settled
	settle()
	if told(notices, 1200*time.Millisecond) {
		t.Error("told of what was settled")
	}
	for _, c := range []struct {
		args []string
		want bool
	}{
		{[]string{"-A", "OTHER", "-j", "RETURN"}, false},
		{[]string{"-A", "PLC-X", "-j", "RETURN"}, true},
		{[]string{"-A", "PLC-X", "-j", "ACCEPT"}, false}, // not settled since
	} {
		run("iptables-nft", append([]string{"-t", "nat"}, c.args...)...)
		if got := told(notices, 1200*time.Millisecond); got != c.want {
			t.Errorf("%v: told is %v", c.args, got)
		}
	}
	for _, args := range [][]string{
		{"iptables-nft", "-t", "nat", "-A", "OUTPUT", "-j", "PLC-X"},
		{"iptables-nft", "-t", "nat", "-D", "OUTPUT", "-j", "PLC-X"},
		{"iptables-nft", "-t", "nat", "-F", "PLC-X"},
		{"iptables-nft", "-t", "nat", "-X", "PLC-X"},
		{"nft", "delete", "table", "ip", "nat"},
	} {
		settle()
		run(args[0], args[1:]...)
		if !told(notices, 5*time.Second) {
			t.Errorf("not told of %v", args)
		}
	}
}

// TestPlanec wants the end of another planec process with the lock to be reported,
// in each directory, and no other event there.
func TestPlanec(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	paths := []string{filepath.Join(one, "n.change.lock"), filepath.Join(two, "n.change.lock"), "/proc/nowhere/n.change.lock"}
	notices, err := drift.Planec(t.Context(), paths, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	write := func(path string) {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{paths[0], paths[1]} {
		write(path)
		if told(notices, 100*time.Millisecond) {
			t.Error("told of a process that begins")
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if !told(notices, 5*time.Second) {
			t.Errorf("not told of %s", path)
		}
	}
	other := filepath.Join(one, "other.lock")
	write(other)
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if told(notices, 100*time.Millisecond) {
		t.Error("told of another file")
	}
	if _, err := drift.Planec(t.Context(), paths[2:], slog.Default()); err == nil {
		t.Error("nothing to watch is no error")
	}
}

// TestPolled wants a different fingerprint to be reported once until the next
// Settled, and an error to count as different.
func TestPolled(t *testing.T) {
	var now atomic.Value
	now.Store("a")
	w := &drift.Polled{Read: func(context.Context) (string, error) {
		if s := now.Load().(string); s != "" {
			return s, nil
		}
		return "", errors.New("gone")
	}}
	notices := w.Run(t.Context())
	now.Store("b")
	if told(notices, 800*time.Millisecond) {
		t.Error("told before anything was settled")
	}
	for _, next := range []string{"c", "", "d"} {
		w.Settled(t.Context())
		if told(notices, 800*time.Millisecond) {
			t.Error("told of what was settled")
		}
		now.Store(next)
		if !told(notices, 5*time.Second) {
			t.Errorf("not told of %q", next)
		}
		if told(notices, 800*time.Millisecond) {
			t.Error("told twice")
		}
	}
}
