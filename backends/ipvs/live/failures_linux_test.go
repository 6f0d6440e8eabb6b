package live

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs"
	xtlive "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
)

// TestKernelFailures makes applies fail halfway, for real reasons: unchanged
// Services keep working, the error names the cause, and the next apply completes
// the change.
func TestKernelFailures(t *testing.T) {
	inside(t)
	lockFile := filepath.Join(t.TempDir(), "xtables.lock")
	t.Setenv("XTABLES_LOCKFILE", lockFile)
	flows := steady()
	r := testkit.New(t, testkit.SpecFor(irtest.KitchenSink(), flows))
	rng := rand.New(rand.NewPCG(11, 12))
	good := emit(t, changed(rng))
	put := func(a backends.Artifact) error {
		return r.Do(func() error { _, err := apply(t.Context(), a); return err })
	}
	if err := put(good); err != nil {
		t.Fatal(err)
	}
	lock, err := os.OpenFile(lockFile, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	other := func() backends.Artifact { return emit(t, changed(rng)) }
	edited := func(name string, edit func(string) string) backends.Artifact {
		a := other()
		return with(a, name, edit(string(a.File(name))))
	}
	failures := []struct {
		name          string
		before, after func() error
		bad           backends.Artifact
		want          error
		words         string
	}{
		{
			name: "the lock is held", bad: edited("iptables.rules", inFilter(":PLC-ANOTHER - [0:0]\n")), want: xtlive.ErrLocked, words: "lock",
			before: func() error { return unix.Flock(int(lock.Fd()), unix.LOCK_EX) },
			after:  func() error { return unix.Flock(int(lock.Fd()), unix.LOCK_UN) },
		},
		{
			name: "a scheduler is missing, after others have come", want: ErrNoScheduler, words: "ip_vs_nosuch",
			bad: edited(ipvs.ServicesFile, func(s string) string {
				return strings.Replace(s, "-A -t 10.96.0.1:90 -s", "-A -t 10.96.0.1:91 -s nosuch\n-A -t 10.96.0.1:90 -s", 1)
			}),
		},
		{
			name: "a set is full", words: "Hash is full",
			bad: edited("ipset.rules", func(s string) string {
				return s + "create plc-4-full hash:ip family inet hashsize 64 maxelem 1\nadd plc-4-full 192.0.2.1\nadd plc-4-full 192.0.2.2\n"
			}),
		},
		{
			name: "a rule that the kernel refuses", words: "iptables-legacy-restore",
			bad: edited("iptables.rules", inFilter(":PLC-WRONG - [0:0]\n-A PLC-WRONG -j MASQUERADE\n")),
		},
	}
	tried := 0
	for _, f := range failures {
		if f.before != nil {
			if err := f.before(); err != nil {
				t.Fatal(err)
			}
		}
		err := put(f.bad)
		if err == nil || f.want != nil && !errors.Is(err, f.want) || !strings.Contains(err.Error(), f.words) {
			t.Errorf("%s: got %v, want %v with %q", f.name, err, f.want, f.words)
		}
		if f.after != nil {
			if err := f.after(); err != nil {
				t.Fatal(err)
			}
		}
		got, err := r.Try(t.Context(), flows, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range got {
			tried++
			if o.Fate != testkit.Answered {
				t.Errorf("%s: %v: %v", f.name, flows[i], o)
			}
		}
		next := other()
		if err := put(next); err != nil {
			t.Errorf("%s: the next apply: %v", f.name, err)
		}
		wantNothingElse(t, r, next)
	}
	tell(t, map[string]int{"failures": len(failures), "connections": tried})
}

// inFilter puts lines at the start of the filter table.
func inFilter(lines string) func(string) string {
	return func(s string) string { return strings.Replace(s, "*filter\n", "*filter\n"+lines, 1) }
}

// wantNothingElse wants the artifact's services and no journal.
func wantNothingElse(t *testing.T, r *testkit.Rig, a backends.Artifact) {
	t.Helper()
	want, err := Parse(a)
	if err != nil {
		t.Fatal(err)
	}
	list := shell(t, r, "", "ipvsadm -Sn")
	if got := strings.Count(list, "-A "); got != len(want.services) {
		t.Errorf("%d services, want %d:\n%s", got, len(want.services), list)
	}
	if sets := shell(t, r, "", "ipset list -n"); strings.Contains(sets, "plc-tmp-") || strings.Contains(sets, "plc-4-full") {
		t.Errorf("left behind: %s", sets)
	}
}
