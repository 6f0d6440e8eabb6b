package dataplane_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables/live"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/session"
	"github.com/planec/planec/internal/testing/testkit"
)

// restarting is a node on which one process after the other applies, with one record.
type restarting struct {
	t      *testing.T
	plane  plane
	rig    *testkit.Rig
	record string
}

// eachSealed runs a test for the planes whose rules are sealed, each with rules in it.
func eachSealed(t *testing.T, test func(x *restarting)) {
	for _, p := range []plane{planes()[0], ebpfPlane(t)} {
		t.Run(p.name, func(t *testing.T) {
			testkit.Require(t, p.tools...)
			x := &restarting{t: t, plane: p, rig: testkit.New(t, testkit.SpecFor(program(0), stable())), record: t.TempDir()}
			if steps := x.apply(0); len(steps) == 0 {
				t.Fatal("nothing was applied")
			}
			test(x)
		})
	}
}

// process is an applier as a process has it that begins.
func (x *restarting) process() *applier.Applier {
	return applier.New(map[string]applier.Dataplane{x.plane.backend: x.plane.make()}, applier.NewRecord(x.record))
}

// apply is what a process does that applies a program and ends.
func (x *restarting) apply(seed uint64) []string {
	x.t.Helper()
	var plan applier.Plan
	e := emitted(x.t, x.plane.backend, seed)
	if err := x.rig.Do(func() (err error) { plan, err = x.process().Apply(x.t.Context(), e); return err }); err != nil {
		x.t.Fatal(err)
	}
	return plan.Steps()
}

// verify compares everything, in a process of its own.
func (x *restarting) verify(seed uint64) error {
	e := emitted(x.t, x.plane.backend, seed)
	return x.rig.Do(func() error { return x.process().Verify(x.t.Context(), e) })
}

func (x *restarting) nft(text string) {
	x.t.Helper()
	if err := x.rig.LoadNFT(text); err != nil {
		x.t.Fatal(err)
	}
}

func (x *restarting) sealFile() string { return filepath.Join(x.record, "rules.seal") }

// deletion is what another program does to rules of program 0.
const deletion = "delete element ip planec cluster-ips { 10.96.0.1 }\n"

// TestRestart restarts over right rules, over rules that another program has changed, and over
// those of another program: each time the kernel has what it should.
func TestRestart(t *testing.T) {
	eachSealed(t, func(x *restarting) {
		right := func(what string, seed uint64, wantSteps bool) {
			t.Helper()
			if steps := x.apply(seed); (len(steps) > 0) != wantSteps {
				x.t.Errorf("%s: the steps are %q", what, steps)
			}
			if err := x.verify(seed); err != nil {
				x.t.Errorf("%s: %v", what, err)
			}
		}
		right("nothing happened", 0, false)
		x.nft(deletion)
		right("an element was deleted", 0, true)
		right("it was mended", 0, false)
		x.nft("add rule ip planec pick-1 accept\n")
		right("a rule was added", 0, true)
		x.nft("add table ip another\n")
		right("another table was added", 0, false)
		right("another program of the compiler", 1, true)
		if err := os.WriteFile(x.sealFile(), []byte(`{"Format":`), 0o600); err != nil {
			x.t.Fatal(err)
		}
		x.nft("delete table ip planec\n")
		right("a seal that is cut off", 1, true)
	})
}

// TestSealIsForOnePlan forges a seal, to see who believes it: the first apply of a process
// does, and reads no rules; a comparison does not, and neither does the second apply.
func TestSealIsForOnePlan(t *testing.T) {
	eachSealed(t, func(x *restarting) {
		x.nft(deletion)
		var seal live.Seal
		data, err := os.ReadFile(x.sealFile())
		if err == nil {
			err = json.Unmarshal(data, &seal)
		}
		if err == nil {
			err = x.rig.Do(func() (err error) { seal.Generation, err = live.Generation(); return err })
		}
		if err == nil {
			data, err = json.Marshal(seal)
		}
		if err == nil {
			err = os.WriteFile(x.sealFile(), data, 0o600)
		}
		if err != nil {
			x.t.Fatal(err)
		}
		if err := x.verify(0); !errors.Is(err, applier.ErrDrift) {
			x.t.Errorf("a comparison believes a seal: %v", err)
		}
		a, e := x.process(), emitted(x.t, x.plane.backend, 0)
		for _, want := range []bool{false, true} {
			var plan applier.Plan
			if err := x.rig.Do(func() (err error) { plan, err = a.Apply(x.t.Context(), e); return err }); err != nil {
				x.t.Fatal(err)
			}
			if got := len(plan.Steps()) > 0; got != want {
				x.t.Errorf("steps %q, want some: %v", plan.Steps(), want)
			}
		}
		if err := x.verify(0); err != nil {
			x.t.Error(err)
		}
	})
}

// TestSealAfterChanges wants what a session has changed step by step to be sealed when it
// ends, and found changed where it ended without: killed, or beside another program.
func TestSealAfterChanges(t *testing.T) {
	for name, end := range map[string]func(x *restarting, a *applier.Applier, e applier.Entry) (steps bool){
		"ends": func(x *restarting, a *applier.Applier, e applier.Entry) bool {
			if err := x.rig.Do(func() error { a.Seal(e); return nil }); err != nil {
				x.t.Fatal(err)
			}
			if _, err := os.Stat(x.sealFile()); err != nil {
				x.t.Errorf("no seal at the end: %v", err)
			}
			return false
		},
		"is killed": func(*restarting, *applier.Applier, applier.Entry) bool { return false },
		"ends beside a change": func(x *restarting, a *applier.Applier, e applier.Entry) bool {
			x.nft("delete element ip planec cluster-ips { 10.96.0.3 }\n")
			if err := x.rig.Do(func() error { a.Seal(e); return nil }); err != nil {
				x.t.Fatal(err)
			}
			if _, err := os.Stat(x.sealFile()); err == nil {
				x.t.Error("what another program has changed is sealed")
			}
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, p := range []plane{planes()[0], ebpfPlane(t)} {
				t.Run(p.name, func(t *testing.T) { restartAfterChanges(t, p, end) })
			}
		})
	}
}

func restartAfterChanges(t *testing.T, p plane, end func(*restarting, *applier.Applier, applier.Entry) bool) {
	testkit.Require(t, p.tools...)
	x := &restarting{t: t, plane: p, rig: testkit.New(t, testkit.Spec{}), record: t.TempDir()}
	selected, err := registry.Select(backends.DefaultOptions(), p.backend)
	if err != nil {
		t.Fatal(err)
	}
	set, config := steadyCluster()
	all := compiler.NewIncremental(&set, nodeName, config)
	a := x.process()
	s := session.New(all, selected[0], a)
	err = x.rig.Do(func() error {
		_, err := s.Apply(t.Context())
		for n := 0; n < 3 && err == nil; n++ {
			slice := sliceObject("web", []string{"10.1.0.2", "10.1.1.2", "10.1.1.9"}[:n+1]...)
			_, err = s.Update(t.Context(), compiler.Update{Slices: []compiler.SliceUpdate{{Name: objects.NameOf(slice.Object), Slice: slice}}})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Wanted()
	if err != nil {
		t.Fatal(err)
	}
	want := end(x, a, e)
	err = x.rig.Do(func() error {
		plan, err := x.process().Apply(t.Context(), e)
		if err == nil && (len(plan.Steps()) > 0) != want {
			t.Errorf("the next process has the steps %q", plan.Steps())
		}
		if err == nil {
			err = x.process().Verify(t.Context(), e)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
