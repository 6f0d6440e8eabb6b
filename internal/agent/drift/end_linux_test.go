package drift_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/agent/drift"
	"github.com/planec/planec/internal/testing/testkit"
)

// lines keeps what is logged.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// watches starts every kind of watch in a namespace.
func watches(ctx context.Context, r *testkit.Rig, log *slog.Logger, x *drift.XTables, lock string) error {
	return r.Do(func() error {
		_, nftables := drift.WatchNFTables(ctx, "planec", log)
		_, iptables := drift.NewIPTablesNFT().Run(ctx, log)
		_, xtables := x.Run(ctx, log)
		_, planec := drift.Planec(ctx, []string{lock}, log)
		return errors.Join(nftables, iptables, xtables, planec)
	})
}

// descriptors counts the open files of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestEnd wants watches that end to leave no descriptor and no goroutine, and to
// log nothing; later notices have no effect.
func TestEnd(t *testing.T) {
	testkit.Require(t, "iptables-legacy")
	r := testkit.New(t, testkit.Spec{})
	lock := filepath.Join(t.TempDir(), "n.change.lock")
	var log lines
	x := drift.NewXTables()
	// The first round opens descriptors that the runtime keeps.
	for round, before := 0, [2]int{}; round < 3; round++ {
		ctx, cancel := context.WithCancel(t.Context())
		if err := watches(ctx, r, log.logger(), x, lock); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // they wait for notices by now
		cancel()
		after := [2]int{descriptors(t), runtime.NumGoroutine()}
		for range 100 {
			if after = [2]int{descriptors(t), runtime.NumGoroutine()}; round > 0 && after[0] <= before[0] && after[1] <= before[1] {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if round > 0 && (after[0] > before[0] || after[1] > before[1]) {
			t.Errorf("%d descriptors and %d goroutines are there, and were before: %v", after[0], after[1], before)
		}
		before = after
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		x.Settled()
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Error("Settled does not return after the end")
	}
	if log.String() != "" {
		t.Errorf("it logs:\n%s", &log)
	}
}

// TestNoDescriptors wants every kind of watch to report that it cannot watch, and
// to leave nothing open. An unknown generation disables the comparison.
func TestNoDescriptors(t *testing.T) {
	testkit.Require(t, "iptables-nft")
	r := testkit.New(t, testkit.Spec{})
	lock := filepath.Join(t.TempDir(), "n.change.lock")
	if err := watches(t.Context(), r, slog.New(slog.DiscardHandler), drift.NewXTables(), lock); err != nil {
		t.Fatal(err)
	}
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	before := descriptors(t) - 1 // without that of the directory
	full := func(free int, f func() error) error {
		return r.Do(func() error {
			limit := was
			limit.Cur = uint64(before + 50)
			if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
				return err
			}
			defer func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &was) }() // it was so before
			var all []int
			for {
				fd, err := unix.Dup(0)
				if err != nil {
					break
				}
				all = append(all, fd)
			}
			for i, fd := range all {
				if i < free {
					_ = unix.Close(fd) // it is a copy
				} else {
					defer unix.Close(fd)
				}
			}
			return f()
		})
	}
	log := slog.New(slog.DiscardHandler)
	for name, start := range map[string]func() error{
		"NFTables":    func() error { _, err := drift.WatchNFTables(t.Context(), "planec", log); return err },
		"IPTablesNFT": func() error { _, err := drift.NewIPTablesNFT().Run(t.Context(), log); return err },
		"XTables":     func() error { _, err := drift.NewXTables().Run(t.Context(), log); return err },
		"Planec":      func() error { _, err := drift.Planec(t.Context(), []string{lock}, log); return err },
	} {
		// One is too few for the two sockets of XTables.
		for free := range map[string]int{"XTables": 1}[name] + 1 {
			if err := full(free, start); !errors.Is(err, unix.EMFILE) {
				t.Errorf("%s with %d descriptors left: %v", name, free, err)
			}
		}
	}
	if now := descriptors(t) - 1; now > before {
		t.Errorf("%d descriptors are open, %d were", now, before)
	}
}

// TestPolledErrors wants an error to differ from an empty fingerprint.
func TestPolledErrors(t *testing.T) {
	var gone atomic.Bool
	w := &drift.Polled{Read: func(context.Context) (string, error) {
		if gone.Load() {
			return "", errors.New("gone")
		}
		return "", nil
	}}
	notices := w.Run(t.Context())
	w.Settled(t.Context())
	gone.Store(true)
	if !told(notices, 5*time.Second) {
		t.Error("not told of an error")
	}
}
