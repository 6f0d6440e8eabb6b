package drift_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/backends/nftables/live"
	"github.com/planec/planec/internal/agent/drift"
	"github.com/planec/planec/internal/testing/testkit"
)

// watchNFTables watches planec's table in a namespace.
func watchNFTables(t *testing.T, r *testkit.Rig) *drift.NFTables {
	t.Helper()
	var w *drift.NFTables
	err := r.Do(func() (err error) {
		w, err = drift.WatchNFTables(t.Context(), "planec", slog.Default())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestNFTables wants changes of planec's table by other processes to be reported,
// but not changes of other tables.
func TestNFTables(t *testing.T) {
	testkit.Require(t, "nft")
	r := testkit.New(t, testkit.Spec{})
	nft := func(text string) {
		t.Helper()
		err := r.Do(func() error {
			cmd := exec.Command("nft", "-f", "-")
			cmd.Stdin = strings.NewReader(text)
			return cmd.Run()
		})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	notices := watchNFTables(t, r).Notices
	told := func() bool {
		select {
		case <-notices:
			return true
		case <-time.After(200 * time.Millisecond):
			return false
		}
	}
	for _, c := range []struct {
		text string
		want bool
	}{
		{"add table ip other\nadd chain ip other planec", false},
		{"add table ip planec", true},
		{"add map ip planec m { type ipv4_addr : verdict; }", true},
		{"add element ip planec m { 10.0.0.1 : accept }", true},
		{"add chain ip other c2", false},
		{"add chain ip planec c", true},
		{"add rule ip planec c accept", true},
		{"delete element ip planec m { 10.0.0.1 }", true},
		{"flush ruleset", true},
		{"add table ip6 planec", true},
	} {
		if nft(c.text); told() != c.want {
			t.Errorf("%q: told is not %v", c.text, c.want)
		}
	}
}

// childVariable makes the test binary another process that applies rules.
const childVariable = "PLANEC_TEST_DRIFT"

func TestMain(m *testing.M) {
	if file := os.Getenv(childVariable); file != "" {
		if err := applyFile(context.Background(), file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// applyFile applies a file of rules.
func applyFile(ctx context.Context, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	want, err := live.Parse(text)
	if err != nil {
		return err
	}
	have, err := live.Observe(ctx)
	if err != nil {
		return err
	}
	return live.Apply(ctx, live.Diff(have, want))
}

// TestSecondProcess wants transactions of another process of the same program to be
// reported, and its own ones not.
func TestSecondProcess(t *testing.T) {
	r := testkit.New(t, testkit.Spec{})
	notices := watchNFTables(t, r).Notices
	files, err := filepath.Glob("../../../golden/cases/*/nftables/rules.nft")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files[:2] {
		if err := r.Do(func() error { return applyFile(t.Context(), file) }); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-notices:
		t.Error("told of our own transactions")
	case <-time.After(200 * time.Millisecond):
	}
	err = r.Do(func() error {
		cmd := exec.Command("/proc/self/exe")
		cmd.Args[0] = os.Args[0]
		cmd.Env = append(os.Environ(), childVariable+"="+files[0])
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-notices:
	case <-time.After(5 * time.Second):
		t.Error("not told of the transaction of another process of this program")
	}
}

// TestXTables wants a change of the size of a legacy table to be reported once
// until the next Settled.
func TestXTables(t *testing.T) {
	testkit.Require(t, "iptables-legacy")
	r := testkit.New(t, testkit.Spec{})
	iptables := func(args ...string) {
		t.Helper()
		if err := r.Do(func() error { return exec.Command("iptables-legacy", args...).Run() }); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
	}
	iptables("-t", "nat", "-N", "PLC-X")
	w := drift.NewXTables()
	var notices <-chan struct{}
	err := r.Do(func() (err error) {
		notices, err = w.Run(t.Context(), slog.Default())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	told := func(within time.Duration) bool {
		select {
		case <-notices:
			return true
		case <-time.After(within):
			return false
		}
	}
	w.Settled()
	if told(1200 * time.Millisecond) {
		t.Error("told of nothing")
	}
	iptables("-t", "nat", "-A", "PLC-X", "-j", "RETURN")
	if !told(5 * time.Second) {
		t.Error("not told of a rule")
	}
	if told(1200 * time.Millisecond) {
		t.Error("told twice")
	}
	w.Settled()
	iptables("-t", "nat", "-F", "PLC-X")
	if !told(5 * time.Second) {
		t.Error("not told of a flush")
	}
}

// TestWithout wants nothing to be heard of what happens meanwhile, and everything before and
// after it, also after an error.
func TestWithout(t *testing.T) {
	testkit.Require(t, "nft")
	r := testkit.New(t, testkit.Spec{})
	w := watchNFTables(t, r)
	change := func(text string) {
		t.Helper()
		if err := r.LoadNFT(text); err != nil {
			t.Fatal(err)
		}
	}
	told := func() bool {
		select {
		case <-w.Notices:
			return true
		case <-time.After(200 * time.Millisecond):
			return false
		}
	}
	if change("add table ip planec"); !told() {
		t.Error("nothing was told before it")
	}
	refused := errors.New("refused")
	err := w.Without(func() error {
		change("add chain ip planec meanwhile")
		return refused
	})
	if !errors.Is(err, refused) {
		t.Errorf("the error %v", err)
	}
	if told() {
		t.Error("it heard what it was kept from")
	}
	if change("add chain ip planec later"); !told() {
		t.Error("nothing was told after it")
	}
}

// TestWithoutAfterItsEnd wants the watch to touch no file once it has ended.
func TestWithoutAfterItsEnd(t *testing.T) {
	r := testkit.New(t, testkit.Spec{})
	ctx, cancel := context.WithCancel(t.Context())
	var w *drift.NFTables
	err := r.Do(func() (err error) {
		w, err = drift.WatchNFTables(ctx, "planec", slog.Default())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	time.Sleep(50 * time.Millisecond)
	called := false
	if err := w.Without(func() error { called = true; return nil }); err != nil || !called {
		t.Errorf("after its end: %v, %v", called, err)
	}
}
