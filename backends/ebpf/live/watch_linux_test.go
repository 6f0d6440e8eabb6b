package live

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// TestWatch wants another fingerprint after each change that another process can make, and
// the same one while nothing changes.
func TestWatch(t *testing.T) {
	n := newNode(t)
	w := NewWatch(n.sockets.Dir)
	look := func() string {
		t.Helper()
		f, err := w.Fingerprint(n.cgroup)
		if err != nil {
			return err.Error()
		}
		return f
	}
	if got := look(); got != "nothing" {
		t.Errorf("before anything is pinned: %s", got)
	}
	attach := func() {
		t.Helper()
		if _, err := n.sockets.Attach(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	program := socketProgram()
	n.load(t, program)
	attach()
	for _, c := range []struct {
		name string
		do   func() error
		// looks is within how many looks the fingerprint is another one; 0 is 1.
		looks int
	}{
		{"another image is loaded", func() error {
			program.Pools[0].Endpoints = program.Pools[0].Endpoints[1:]
			n.load(t, program)
			return nil
		}, 0},
		{"a map is replaced where it is used", func() error { return n.replaceInner() }, numMaps},
		{"a program is detached", func() error { return os.Remove(filepath.Join(n.sockets.Dir, "plc_link_connect4")) }, 0},
		{"another program is under a link", func() error { return n.another("plc_link_sendmsg4", ebpf.AttachCGroupUDP4Sendmsg) }, 0},
		{"a map is not pinned any more", func() error { return os.Remove(filepath.Join(n.sockets.Dir, activeSpec().Name)) }, 0},
	} {
		attach()
		before := look()
		if again := look(); again != before {
			t.Fatalf("%s while nothing changes, after %s", again, before)
		}
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(make([]int, max(1, c.looks)), func(int) bool { return look() != before }) {
			t.Errorf("%s: the fingerprint is the same", c.name)
		}
	}
}

// replaceInner puts an empty map into the active slot of the map of addresses.
func (n *node) replaceInner() error {
	d, err := Open(n.sockets.Dir)
	if err != nil {
		return err
	}
	defer d.Close()
	slot, err := d.Active()
	if err != nil {
		return err
	}
	m, err := ebpf.NewMap(innerSpec(mapLayout(1), 1))
	if err != nil {
		return err
	}
	return errors.Join(d.outer[1].Put(slot, m), m.Close())
}

// another puts a program that decides nothing under a link.
func (n *node) another(pin string, at ebpf.AttachType) error {
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.CGroupSockAddr, AttachType: at, License: "Apache-2.0",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 1), asm.Return()},
	})
	if err != nil {
		return err
	}
	defer p.Close()
	l, err := link.LoadPinnedLink(filepath.Join(n.sockets.Dir, pin), nil)
	if err != nil {
		return err
	}
	return errors.Join(l.Update(p), l.Close())
}

// TestProgramsFollowThePins: programs whose maps are no longer the pinned ones are
// replaced, and what is attached is told with its place.
func TestProgramsFollowThePins(t *testing.T) {
	n := newNode(t)
	n.load(t, socketProgram())
	if left, err := n.sockets.Left(); err != nil || len(left) != 0 {
		t.Errorf("left before: %q, %v", left, err)
	}
	if _, err := n.sockets.Attach(context.Background()); err != nil {
		t.Fatal(err)
	}
	attached, err := n.sockets.Attached()
	if err != nil || len(attached) != len(hooks) {
		t.Fatalf("%v, %v", attached, err)
	}
	for i, a := range attached {
		path, err := CgroupPath(CgroupRoot(), a.Cgroup)
		if err != nil || path != n.cgroup || a.Program != hooks[i].program || a.ID == 0 {
			t.Errorf("%+v at %s, %v", a, path, err)
		}
	}
	if _, err := n.pins.Clean(context.Background()); err != nil {
		t.Fatal(err)
	}
	n.load(t, socketProgram())
	missing, err := n.sockets.Missing()
	if err != nil || !slices.Contains(missing, "replace program connect4") {
		t.Errorf("with maps that were pinned anew: %q, %v", missing, err)
	}
	if _, err := n.sockets.Attach(context.Background()); err != nil {
		t.Fatal(err)
	}
	if missing, err := n.sockets.Missing(); err != nil || len(missing) != 0 {
		t.Errorf("after Attach: %q, %v", missing, err)
	}
	if got := n.client(t, "tcp", "[fd00:96::1]:80", "1"); got[0] != "tcp [fd00:96::1]:80 [fd00:1::1]:8080 seen as [fd00:96::1]:80" {
		t.Errorf("%q", got)
	}
	left, err := n.sockets.Left()
	if err != nil {
		t.Fatal(err)
	}
	removed, err := n.sockets.Detach()
	if err != nil || !slices.Equal(left, removed) {
		t.Errorf("removed %q, left was %q, %v", removed, left, err)
	}
}
