package dataplane_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir/eval"
)

// mixed is a node that ebpf serves, with pods whose sockets its programs see.
type mixed struct {
	t   *testing.T
	rig *testkit.Rig
	plane
	applier *applier.Applier
	entry   applier.Entry
}

func newMixed(t *testing.T) *mixed {
	t.Helper()
	p := ebpfPlane(t)
	rig, a := node(t, p)
	return &mixed{t: t, rig: rig, plane: p, applier: a, entry: emitted(t, p.backend, 0)}
}

// verified is the drift of the kernel, or none.
func (m *mixed) verified() []string {
	m.t.Helper()
	err := m.rig.Do(func() error { return m.applier.Verify(m.t.Context(), m.entry) })
	var drift *applier.DriftError
	if err != nil && !errors.As(err, &drift) {
		m.t.Fatal(err)
	}
	if drift == nil {
		return nil
	}
	return drift.Steps
}

// answered is which entries' connections are answered.
func (m *mixed) answered() map[eval.Entry]bool {
	m.t.Helper()
	out := make(map[eval.Entry]bool)
	flows := stable()[:6] // a ClusterIP
	got, err := m.rig.Try(m.t.Context(), flows, testkit.DefaultTimeout)
	if err != nil {
		m.t.Fatal(err)
	}
	for i, o := range got {
		out[flows[i].From] = o.Fate == testkit.Answered && o.Endpoint != flows[i].Destination() // the world has all addresses
	}
	return out
}

// TestSocketsAndPackets takes away one of the parts at a time: verify names what is
// missing, the other part goes on, and an apply puts it back.
func TestSocketsAndPackets(t *testing.T) {
	m := newMixed(t)
	remove := func(name string) {
		if err := os.Remove(filepath.Join(m.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name          string
		do            func()
		drift         string
		pods, outside bool
	}{
		{"nothing", func() {}, "", true, true},
		{"the rules", func() {
			if _, err := m.rig.Run("", "nft", "delete table ip planec"); err != nil {
				t.Fatal(err)
			}
		}, "table ip planec: create it", true, false},
		{"programs", func() { remove("plc_link_connect4"); remove("plc_link_connect6") }, "attach program connect4 to " + m.Cgroup, true, true},
		{"maps", func() { remove("plc_active"); remove("plc_keys") }, "add map plc_keys", true, true},
	} {
		c.do()
		if got := strings.Join(m.verified(), "\n"); !strings.Contains(got, c.drift) || (got == "") != (c.drift == "") {
			t.Errorf("without %s the drift is:\n%s", c.name, got)
		}
		if got := m.answered(); got[eval.FromPod] != c.pods || got[eval.FromOutside] != c.outside {
			t.Errorf("without %s: from pods %t, from outside %t", c.name, got[eval.FromPod], got[eval.FromOutside])
		}
		apply(t, m.rig, m.applier, m.entry)
		if got := m.verified(); got != nil {
			t.Errorf("%s: an apply leaves %q", c.name, got)
		}
		bad, err := wrong(t.Context(), m.rig, m.plane)
		if err != nil || len(bad) > 0 {
			t.Errorf("%s were put back: %v, %q", c.name, err, bad)
		}
	}
}

// TestProgramsMove: the programs go to another cgroup with the next apply for it, and a
// command that is told of none finds them where they are.
func TestProgramsMove(t *testing.T) {
	m := newMixed(t)
	other := testkit.Cgroup(t, live.CgroupRoot())
	told := applier.New(map[string]applier.Dataplane{ebpf.Name: dataplane.EBPF(m.Dir, other)}, applier.NewRecord(t.TempDir()))
	untold := applier.New(map[string]applier.Dataplane{ebpf.Name: dataplane.EBPF(m.Dir, "")}, applier.NewRecord(t.TempDir()))
	at := func(want string) {
		t.Helper()
		err := m.rig.Do(func() error {
			if err := untold.Verify(t.Context(), m.entry); err != nil {
				return err
			}
			programs, err := untold.Programs(t.Context(), ebpf.Name)
			for _, p := range programs {
				if p.At != want || p.ID == 0 {
					t.Errorf("%+v, want it at %s", p, want)
				}
			}
			if len(programs) != 8 || programs[7].Name != "connect6" {
				t.Errorf("%+v", programs)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	at(m.Cgroup)
	apply(t, m.rig, told, m.entry)
	at(other)
	if got := m.verified(); len(got) != 8 {
		t.Errorf("the old place is in order: %q", got)
	}
	// A way back from another backend leads to the cgroup that they were on.
	back := applier.New(map[string]applier.Dataplane{ebpf.Name: dataplane.EBPF(m.Dir, ""), "nftables": planes()[0].make()}, applier.NewRecord(t.TempDir()))
	err := m.rig.Do(func() error {
		s, err := back.Snapshot(t.Context(), "nftables")
		if err != nil {
			return err
		}
		if _, err := back.Install(t.Context(), emitted(t, "nftables", 1)); err != nil {
			return err
		}
		return back.Restore(t.Context(), s)
	})
	if err != nil {
		t.Fatal(err)
	}
	at(other)
	// So does a way back from an apply to another one, if it succeeded or not.
	for _, to := range []string{m.Cgroup, filepath.Join(other, "cgroup.procs")} {
		moving := applier.New(map[string]applier.Dataplane{ebpf.Name: dataplane.EBPF(m.Dir, to)}, applier.NewRecord(t.TempDir()))
		err = m.rig.Do(func() error {
			s, err := moving.Snapshot(t.Context(), ebpf.Name)
			if err != nil {
				return err
			}
			if _, err := moving.Install(t.Context(), m.entry); (err == nil) != (to == m.Cgroup) {
				t.Errorf("an apply to %s: %v", to, err)
			}
			return moving.Restore(t.Context(), s)
		})
		if err != nil {
			t.Fatal(err)
		}
		at(other)
	}
}

// TestCgroupIsGone: when the cgroup of the programs is removed, a command that is told of no
// other one does not take the root, which may be more than was asked for.
func TestCgroupIsGone(t *testing.T) {
	m := newMixed(t)
	short, err := os.MkdirTemp(live.CgroupRoot(), "planec-test-")
	if err != nil {
		t.Fatal(err)
	}
	told := applier.New(map[string]applier.Dataplane{ebpf.Name: dataplane.EBPF(m.Dir, short)}, applier.NewRecord(t.TempDir()))
	apply(t, m.rig, told, m.entry)
	if err := os.Remove(short); err != nil {
		t.Fatal(err)
	}
	untold := applier.New(map[string]applier.Dataplane{ebpf.Name: dataplane.EBPF(m.Dir, "")}, applier.NewRecord(t.TempDir()))
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) { // the kernel detaches them later
		err = m.rig.Do(func() error { return untold.Verify(t.Context(), m.entry) })
		if err != nil || time.Since(start) > testkit.DefaultTimeout {
			break
		}
	}
	if !errors.Is(err, dataplane.ErrCgroupGone) {
		t.Errorf("verify says %v", err)
	}
	if got := m.verified(); len(got) != 8 {
		t.Errorf("with a cgroup the drift is %q", got)
	}
	apply(t, m.rig, m.applier, m.entry)
	if got := m.verified(); got != nil {
		t.Errorf("an apply leaves %q", got)
	}
}

// TestHalfAChange fails a change between its parts: the session's next attempt reads the
// kernel, and everything is whole.
func TestHalfAChange(t *testing.T) {
	p := ebpfPlane(t)
	c := newChanging(t, p)
	if err := c.endpoints(t, "10.1.0.2", "10.1.1.2"); err != nil {
		t.Fatal(err)
	}
	c.wantWhole(t)
	// A lock on the maps, which an apply waits for only so long.
	dir, err := os.Open(p.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	free := time.AfterFunc(6*time.Second, func() { dir.Close() })
	defer free.Stop()
	read := c.counts.read
	if err := c.endpoints(t, "10.1.0.2", "10.1.1.9"); err != nil {
		t.Errorf("the change: %v", err)
	}
	if c.counts.read == read {
		t.Error("the kernel was not read after half a change")
	}
	c.wantWhole(t)
}

// TestServedNames wants frontends of the maps to have the names that the rules for
// packets have, since maps have none.
func TestServedNames(t *testing.T) {
	m := newMixed(t)
	err := m.rig.Do(func() error {
		s, err := m.applier.Served(t.Context(), m.backend)
		if err != nil {
			return err
		}
		named := 0
		for _, f := range s.Frontends {
			if f.Name != "" {
				named++
			}
		}
		if named == 0 || len(s.Programs) != 8 {
			t.Errorf("%d of %d frontends have names, programs %v", named, len(s.Frontends), s.Programs)
		}
		if !slices.ContainsFunc(s.Programs, func(p backends.ServedProgram) bool { return p.Name == "recvmsg4" && p.At == m.Cgroup }) {
			t.Errorf("%+v", s.Programs)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRollbackBetween goes back from ebpf to nftables, whose rules both have, and to ebpf
// again: only maps and programs come and go.
func TestRollbackBetween(t *testing.T) {
	p, nft := ebpfPlane(t), planes()[0]
	testkit.Require(t, "nft", "ipset", "iptables-legacy-save", "iptables-nft-save")
	r := testkit.New(t, testkit.Spec{})
	a := applier.New(map[string]applier.Dataplane{"nftables": nft.make(), ebpf.Name: p.make()}, applier.NewRecord(t.TempDir()))
	apply(t, r, a, emitted(t, "nftables", 1))
	apply(t, r, a, emitted(t, ebpf.Name, 1))
	wantOnly(t, r, p, p)
	for _, to := range []plane{nft, p, nft} {
		err := r.Do(func() error {
			e, plan, err := a.Rollback(t.Context())
			if err != nil {
				return err
			}
			if slices.ContainsFunc(plan.Steps(), func(s string) bool { return strings.Contains(s, "table ip") }) || e.Backend != to.backend {
				t.Errorf("back to %s: %q", e.Backend, plan.Steps())
			}
			return a.Verify(t.Context(), emitted(t, to.backend, 1))
		})
		if err != nil {
			t.Fatal(err)
		}
		wantOnly(t, r, to, p)
	}
}
