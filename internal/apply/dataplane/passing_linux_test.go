package dataplane_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// failsOnce puts a program in front of the real one that fails when it is first run,
// before or after it has done its work.
func failsOnce(t *testing.T, name, words string, after bool) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := ""
	if after {
		run = path + ` "$@" || exit $?`
	}
	// Of ipset, which is asked first, the change is to fail.
	script := fmt.Sprintf("#!/bin/sh\n{ [ -e %[1]s/ran ] || [ \"$*\" = save ]; } && exec %[2]s \"$@\"\ntouch %[1]s/ran\n%[3]s\necho '%[4]s' >&2\nexit 4\n", dir, path, run, words)
	if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// TestProgramFailsOnce lets each program of an apply fail once: the apply goes well, and
// the kernel has what it should.
func TestProgramFailsOnce(t *testing.T) {
	for _, p := range planes()[1:] {
		variant := p.name[len("iptables-"):]
		for _, program := range []string{"iptables-" + variant + "-save", "iptables-" + variant + "-restore", "ip6tables-" + variant + "-restore", "ipset"} {
			for _, words := range []string{"Resource temporarily unavailable", "line 5 failed", "line 5 failed after all was done"} {
				t.Run(p.name+"/"+program+"/"+words, func(t *testing.T) {
					r, a := node(t, p)
					failsOnce(t, program, words, strings.Contains(words, "after"))
					apply(t, r, a, emitted(t, p.backend, 4))
					if err := r.Do(func() error { return a.Verify(t.Context(), emitted(t, p.backend, 4)) }); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// TestLockedForAMoment holds the lock of iptables-legacy for longer than one restore
// waits for it.
func TestLockedForAMoment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "xtables.lock")
	t.Setenv("XTABLES_LOCKFILE", path)
	p := planes()[1]
	r, a := node(t, p)
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	free := time.AfterFunc(7*time.Second, func() { _ = unix.Flock(int(lock.Fd()), unix.LOCK_UN) })
	defer free.Stop()
	apply(t, r, a, emitted(t, p.backend, 4))
}
