package live

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/iptables"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
)

// failing is a kernel with correct rules, in which an apply of other rules must fail.
type failing struct {
	rig   *testkit.Rig
	tools *Tools
	good  backends.Artifact
	rules string
}

func newFailing(t *testing.T, variant string) *failing {
	t.Helper()
	f := &failing{}
	f.rig, f.tools = node(t, variant)
	var err error
	if f.good, err = iptables.New(backends.DefaultOptions()).Emit(irtest.KitchenSink()); err != nil {
		t.Fatal(err)
	}
	f.apply(t, f.good)
	f.rules = f.saved(t)
	return f
}

func (f *failing) apply(t *testing.T, a backends.Artifact) {
	t.Helper()
	if err := f.rig.Do(func() error { _, err := change(t.Context(), f.tools, a); return err }); err != nil {
		t.Fatal(err)
	}
}

// saved are the rules of both families, without counters.
func (f *failing) saved(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for _, c := range []string{"iptables-", "ip6tables-"} {
		text, err := f.rig.Run("", c+f.tools.Variant+"-save")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			if line[0] == '-' {
				out.WriteString(line)
			}
		}
	}
	return out.String()
}

// wantFailure wants an apply to fail with a certain message, the rules to stay
// unchanged, and the next apply, of other rules, to succeed.
func (f *failing) wantFailure(t *testing.T, bad backends.Artifact, want error, words string) {
	t.Helper()
	err := f.rig.Do(func() error { _, err := change(t.Context(), f.tools, bad); return err })
	if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), words) {
		t.Errorf("got %v, want %v with %q", err, want, words)
	}
	if now := f.saved(t); now != f.rules {
		t.Errorf("the old rules are not whole:\n%s", now)
	}
	t.Logf("%.300s", strings.SplitN(err.Error(), "\n", 2)[0])
}

func with(a backends.Artifact, name string, edit func(string) string) backends.Artifact {
	out := backends.Artifact{}
	for _, f := range a.Files {
		if f.Name == name {
			f.Data = []byte(edit(string(f.Data)))
		}
		out.Files = append(out.Files, f)
	}
	return out
}

// TestFailures makes applies fail halfway, for real reasons.
func TestFailures(t *testing.T) {
	for _, variant := range []string{"legacy", "nft"} {
		t.Run(variant, func(t *testing.T) {
			f := newFailing(t, variant)
			t.Run("a rule that the kernel refuses", func(t *testing.T) {
				f.wantFailure(t, with(f.good, "iptables.rules", func(s string) string {
					// MASQUERADE is only allowed in the nat table.
					return strings.Replace(s, "*filter\n", "*filter\n:PLC-WRONG - [0:0]\n-A PLC-WRONG -j MASQUERADE\n", 1)
				}), nil, "iptables-"+variant+"-restore")
				f.apply(t, f.good)
			})
			t.Run("a rule with a set that is missing", func(t *testing.T) {
				f.wantFailure(t, with(f.good, "iptables.rules", func(s string) string {
					return strings.Replace(s, "*filter\n", "*filter\n:PLC-WRONG - [0:0]\n-A PLC-WRONG -m set --match-set plc-nowhere src -j DROP\n", 1)
				}), nil, "plc-nowhere")
				f.apply(t, f.good)
			})
			t.Run("a set that is full", func(t *testing.T) {
				f.wantFailure(t, with(f.good, "ipset.rules", func(s string) string {
					return s + "create plc-full hash:ip family inet hashsize 64 maxelem 2\nadd plc-full 192.0.2.1\nadd plc-full 192.0.2.2\nadd plc-full 192.0.2.3\n"
				}), nil, "Hash is full")
				f.apply(t, f.good)
			})
			t.Run("a set of another type", func(t *testing.T) {
				another := with(f.good, "ipset.rules", func(s string) string {
					return s + "create plc-another hash:ip family inet hashsize 64 maxelem 200\nadd plc-another 192.0.2.1\n"
				})
				for _, line := range [][]string{
					{"ipset", "create", "plc-another", "hash:net"},
					{"iptables-" + variant, "-A", "INPUT", "-m", "set", "--match-set", "plc-another", "src", "-j", "DROP"},
				} {
					if _, err := f.rig.Run("", line[0], line[1:]...); err != nil {
						t.Fatal(err)
					}
				}
				f.rules = f.saved(t)
				f.wantFailure(t, another, ErrForeignSet, "plc-another")
				if _, err := f.rig.Run("", "iptables-"+variant, "-F", "INPUT"); err != nil {
					t.Fatal(err)
				}
				f.apply(t, another) // this also restores the jump
				f.apply(t, f.good)
			})
		})
	}
}

// TestLocked holds the lock of iptables-legacy longer than an apply waits. It uses
// a lock of its own, because other programs use the machine's lock.
func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "xtables.lock")
	t.Setenv("XTABLES_LOCKFILE", path)
	f := newFailing(t, "legacy")
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	p := irtest.KitchenSink()
	p.Pools[0].Endpoints = p.Pools[0].Endpoints[:1]
	other, err := iptables.New(backends.DefaultOptions()).Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	f.wantFailure(t, other, ErrLocked, "lock")
	if waited := time.Since(start); waited < f.tools.LockWait {
		t.Errorf("it waited for %v only", waited)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	f.apply(t, other)
}
