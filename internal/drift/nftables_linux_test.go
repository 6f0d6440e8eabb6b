package drift_test

import (
	"log/slog"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/drift"
	"github.com/planec/planec/internal/testkit"
)

// TestNFTables wants changes of our table by others to be told, and nobody
// else's.
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
	var notices <-chan struct{}
	err := r.Do(func() (err error) {
		notices, err = drift.NFTables(t.Context(), "planec", slog.Default())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
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

// TestXTables wants a change of the size of a legacy table to be told once, until
// ours is in again.
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
