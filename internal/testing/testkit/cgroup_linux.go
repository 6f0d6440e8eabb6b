package testkit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Cgroup makes a cgroup for threads of the test, and removes it when the test ends. Only
// threads that join it are in it, so programs on it meet no other process of the machine.
// It is below mount, where cgroup2 is mounted; with none ("") the test is skipped, or
// fails in CI.
func Cgroup(t testing.TB, mount string) string {
	t.Helper()
	if mount == "" && os.Getenv("CI") == "true" {
		t.Fatal("CI=true, but no cgroup2 is mounted")
	} else if mount == "" {
		t.Skip("SKIPPED, NOTHING WAS TESTED: no cgroup2 is mounted")
	}
	dir, err := os.MkdirTemp(mount, "planec-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := removeCgroup(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, "cgroup.type"), []byte("threaded"), 0); err != nil {
		t.Fatal(err)
	}
	return dir
}

// removeCgroup waits for threads that are about to end.
func removeCgroup(dir string) error {
	deadline := time.Now().Add(settleTimeout)
	for {
		err := os.Remove(dir)
		if err == nil || !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// JoinCgroup makes the sockets of the node's processes and of its pods, which flows open
// from now on, members of a cgroup of [Cgroup]. Sockets of the outside are in none.
func (r *Rig) JoinCgroup(path string) error {
	r.members, r.cgroup = make(map[*namespace]*namespace), path
	for _, ns := range r.sides() {
		if err := r.addMember(ns); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rig) addMember(ns *namespace) error {
	m, err := ns.member(r.cgroup)
	if err != nil {
		return fmt.Errorf("a thread of the %v in cgroup %s: %w", ns.side, r.cgroup, err)
	}
	r.members[ns] = m
	r.closers = append(r.closers, func() error { close(m.work); return nil })
	return nil
}

// member is another thread in the namespace, which is in a cgroup.
func (n *namespace) member(cgroup string) (*namespace, error) {
	m := *n
	m.work = make(chan func())
	ready := make(chan error)
	go func() {
		// Never unlocked, like that of the namespace.
		runtime.LockOSThread()
		err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET)
		if err == nil {
			err = enter(cgroup)
		}
		ready <- err
		if err != nil {
			return
		}
		for f := range m.work {
			f()
		}
		// The process' first thread never ends.
		_ = enter(filepath.Dir(cgroup))
	}()
	return &m, <-ready
}

// enter moves the calling thread into a cgroup.
func enter(cgroup string) error {
	return os.WriteFile(filepath.Join(cgroup, "cgroup.threads"), strconv.AppendInt(nil, int64(unix.Gettid()), 10), 0)
}

// Inside runs f on the thread that opens the sockets of the node's pods, after
// [Rig.JoinCgroup]: bind them to the address of the pod.
func (r *Rig) Inside(f func() error) error { return r.members[r.world].do(f) }
