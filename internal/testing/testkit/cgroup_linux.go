package testkit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Cgroup makes a cgroup of this test, below the one that the process is in, and returns
// its path. Programs that are attached to it concern the threads in it only: a machine
// that runs other tests must never have any on its root.
//
// Make it before the rig whose clients will be in it, since it goes when they are gone.
// It is threaded, so that single threads can be in it ([Rig.InCgroup]).
func Cgroup(t testing.TB) string {
	t.Helper()
	dir, err := makeCgroup()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI=true, but this machine cannot make a cgroup: %v", err)
		}
		t.Skipf("SKIPPED, NOTHING WAS TESTED: this machine cannot make a cgroup: %v", err)
	}
	t.Cleanup(func() {
		if err := removeCgroup(dir); err != nil {
			t.Errorf("the test's cgroup stays: %v", err)
		}
	})
	return dir
}

func makeCgroup() (string, error) {
	root, err := cgroupRoot()
	if err != nil {
		return "", err
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	parent := ""
	for line := range strings.Lines(string(own)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			parent = filepath.Join(root, path)
		}
	}
	if parent == "" {
		return "", errors.New("the process is in no cgroup2")
	}
	dir, err := os.MkdirTemp(parent, "planec-test-")
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.type"), []byte("threaded"), 0); err != nil {
		return "", errors.Join(err, os.Remove(dir))
	}
	return dir, NotRoot(dir)
}

// cgroupRoot is where cgroup2 is mounted.
func cgroupRoot() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		before, after, _ := strings.Cut(line, " - ")
		if fields := strings.Fields(before); strings.HasPrefix(after, "cgroup2 ") && len(fields) > 4 && fields[3] == "/" {
			return fields[4], nil
		}
	}
	return "", errors.New("no cgroup2 is mounted")
}

// NotRoot is an error if a path is no cgroup, or the root of cgroup2, where a test would
// change what every process of the machine connects to.
func NotRoot(cgroup string) error {
	var s unix.Statfs_t
	if err := unix.Statfs(cgroup, &s); err != nil {
		return fmt.Errorf("cgroup %s: %w", cgroup, err)
	}
	if s.Type != unix.CGROUP2_SUPER_MAGIC {
		return fmt.Errorf("%s is no cgroup2", cgroup)
	}
	// The root has no type: it can be nothing else.
	if _, err := os.Stat(filepath.Join(cgroup, "cgroup.type")); err != nil {
		return fmt.Errorf("%s is the root of cgroup2: tests must not attach programs there", cgroup)
	}
	return nil
}

// removeCgroup waits for the threads in it to end.
func removeCgroup(dir string) (err error) {
	for range 100 {
		if err = os.Remove(dir); !errors.Is(err, unix.EBUSY) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// InCgroup has the sockets of pods and of the node be made in a cgroup from now on. Those
// from outside stay where they are, as they are another machine's.
func (r *Rig) InCgroup(dir string) error {
	if err := NotRoot(dir); err != nil {
		return err
	}
	inside, err := r.world.beside(dir)
	if err != nil {
		return err
	}
	r.closers = append(r.closers, func() error { close(inside.work); return nil })
	onNode, err := r.node.beside(dir)
	if err != nil {
		return err
	}
	r.closers = append(r.closers, func() error { close(onNode.work); return nil })
	r.podClients, r.nodeClients = inside, onNode
	return nil
}

// beside is another thread in a namespace, and in a cgroup.
func (n *namespace) beside(cgroup string) (*namespace, error) {
	b := &namespace{side: n.side, file: n.file, nl: n.nl, work: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // and the thread ends with the goroutine
		ready <- errors.Join(
			unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET),
			enter(cgroup))
		for f := range b.work {
			f()
		}
		// The process' first thread never ends.
		_ = enter(filepath.Dir(cgroup))
	}()
	if err := <-ready; err != nil {
		close(b.work)
		return nil, fmt.Errorf("a thread in cgroup %s: %w", cgroup, err)
	}
	return b, nil
}

// enter moves the calling thread into a cgroup.
func enter(cgroup string) error {
	return os.WriteFile(filepath.Join(cgroup, "cgroup.threads"), []byte(strconv.Itoa(unix.Gettid())), 0)
}

// Inside runs f on the thread that opens the sockets of the node's pods, after
// [Rig.InCgroup]: bind them to the address of the pod.
func (r *Rig) Inside(f func() error) error { return r.podClients.do(f) }
