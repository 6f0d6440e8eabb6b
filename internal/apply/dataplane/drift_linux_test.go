package dataplane_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	xtlive "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/session"
	"github.com/planec/planec/internal/testing/testkit"
)

// changing is a session in a rig of its own, whose ways are counted.
type changing struct {
	rig     *testkit.Rig
	objects *compiler.Incremental
	counts  *counting
	applier *applier.Applier
	session *session.Session
	emitter backends.Backend
}

func newChanging(t *testing.T, p plane) *changing {
	t.Helper()
	testkit.Require(t, p.tools...)
	set, config := steadyCluster()
	c := &changing{rig: testkit.New(t, testkit.Spec{}), objects: compiler.NewIncremental(&set, nodeName, config)}
	selected, err := registry.Select(backends.DefaultOptions(), p.backend)
	if err != nil {
		t.Fatal(err)
	}
	c.emitter, c.counts = selected[0], &counting{Dataplane: p.make()}
	c.applier = applier.New(map[string]applier.Dataplane{p.backend: c.counts}, applier.NewRecord(t.TempDir()))
	c.session = session.New(c.objects, c.emitter, c.applier)
	if err := c.rig.Do(func() error { _, err := c.session.Apply(t.Context()); return err }); err != nil {
		t.Fatal(err)
	}
	return c
}

// endpoints gives the Service "web" endpoints.
func (c *changing) endpoints(t *testing.T, addresses ...string) error {
	t.Helper()
	slice := sliceObject("web", addresses...)
	return c.rig.Do(func() error {
		_, err := c.session.Update(t.Context(), compiler.Update{Slices: []compiler.SliceUpdate{{Name: objects.Name{Namespace: namespace, Name: slice.Object.Name}, Slice: slice}}})
		return err
	})
}

// wantWhole wants the kernel to be what the objects say.
func (c *changing) wantWhole(t *testing.T) {
	t.Helper()
	a, err := c.emitter.Emit(c.objects.Program())
	if err == nil {
		err = c.rig.Do(func() error {
			return c.applier.Verify(t.Context(), applier.Entry{Backend: c.emitter.Name(), Artifact: a})
		})
	}
	if err != nil {
		t.Error(err)
	}
}

// TestInTheWay changes planec's own objects behind the applier's back, so that its next
// change cannot be made: then everything is read and put right.
func TestInTheWay(t *testing.T) {
	for _, p := range planes()[1:] {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			c := newChanging(t, p)
			if err := c.endpoints(t, "10.1.0.2", "10.1.1.2"); err != nil {
				t.Fatal(err)
			}
			if c.counts.fragments != 1 {
				t.Error("the first change did not go the short way")
			}
			c.wantWhole(t)
			if _, err := c.rig.Run("", "ipset", "flush", "plc-hairpin-4"); err != nil {
				t.Fatal(err)
			}
			read := c.counts.read
			if err := c.endpoints(t, "10.1.1.2"); err != nil {
				t.Fatal(err)
			}
			if c.counts.read == read {
				t.Error("the kernel was not read")
			}
			c.wantWhole(t)
		})
	}
}

// TestAfterFailure wants a change that failed to be made by the next one.
func TestAfterFailure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "xtables.lock")
	t.Setenv("XTABLES_LOCKFILE", path)
	c := newChanging(t, planes()[1])
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if err := c.endpoints(t, "10.1.0.2", "10.1.1.9"); !errors.Is(err, xtlive.ErrLocked) {
		t.Errorf("got %v", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	if err := c.endpoints(t, "10.1.0.2", "10.1.1.9"); err != nil {
		t.Fatal(err)
	}
	c.wantWhole(t)
}
