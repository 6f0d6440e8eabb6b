package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/e2e/internal/traffic"
)

// TestFullDisk gives the agent a disk of its own for its state, which is full from
// the start: it serves, follows changes and compares all the same. Once there is
// space the record is written with the next comparison.
func TestFullDisk(t *testing.T) {
	s := newStand(t, append(tools, "unshare", "mount")...)
	first := s.serve(t, "first", "10.96.0.10")
	o := s.agentOptions(t, "nftables", "--verify-every=1s")
	o.StateDir = t.TempDir()
	// The mount is in a mount namespace of the agent's, and goes with it.
	o.Wrap = []string{
		"unshare", "--mount", "sh", "-ec",
		`mount -t tmpfs -o size=16k planec-e2e "$0"; dd if=/dev/zero of="$0/fill" bs=16k count=1 2>/dev/null; exec "$@"`, o.StateDir,
	}
	a := agent.New(t, s.node, o)
	start(t, a)
	load := traffic.Start(t, s.rig, fromAll(first)...)
	served(within(t, 10*time.Second), t, load, s.serve(t, "second", "10.96.0.11"))
	time.Sleep(2 * time.Second) // for comparisons
	served(within(t, 10*time.Second), t, load, s.serve(t, "third", "10.96.0.12"))
	if v := values(t, a); v.Sum(agent.Failures) > 0 || v["planec_verify_duration_seconds_count"] == 0 {
		t.Errorf("%v failed applies, %v comparisons", v.Sum(agent.Failures), v["planec_verify_duration_seconds_count"])
	}
	if !strings.Contains(a.Log(), "no space left on device") {
		t.Error("a record that was not written is not told")
	}

	dir := filepath.Join(fmt.Sprintf("/proc/%d/root", a.PID()), o.StateDir)
	must(t, os.Remove(filepath.Join(dir, "fill")))
	for ctx := within(t, 10*time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "last.artifact")); err == nil {
			break
		} else if ctx.Err() != nil {
			t.Fatalf("the record is not written though there is space: %v", err)
		}
	}
	perfect(t, load)
	s.same(t, a)
}
