package testkit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// memoryGroups is where control groups of version 1 limit memory.
const memoryGroups = "/sys/fs/cgroup/memory"

// RequireMemoryLimit skips, or fails in CI, where WithMemory cannot do what it
// says: it takes the memory controller of control groups version 1, for in
// version 2 a process is killed where this one gets an error.
func RequireMemoryLimit(t testing.TB) {
	t.Helper()
	_, err := os.Stat(filepath.Join(memoryGroups, "memory.oom_control"))
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI=true, but the kernel's memory cannot be limited here: %v", err)
	}
	t.Skipf("SKIPPED, NOTHING WAS TESTED: the kernel's memory cannot be limited here: %v", err)
}

// WithMemory is Do while the kernel has only so many bytes for what it keeps on
// behalf of the thread: then its allocations fail, with ENOMEM. The process's own
// memory is not touched: it is accounted to the process and not to the thread.
func (r *Rig) WithMemory(bytes int, f func() error) error {
	group, err := os.MkdirTemp(memoryGroups, "planec-test-")
	if err != nil {
		return fmt.Errorf("a control group for memory: %w", err)
	}
	defer os.Remove(group) // it is empty then
	for _, setting := range [][2]string{{"memory.oom_control", "1"}, {"memory.limit_in_bytes", strconv.Itoa(bytes)}} {
		if err := os.WriteFile(filepath.Join(group, setting[0]), []byte(setting[1]), 0); err != nil {
			return fmt.Errorf("limiting memory: %w", err)
		}
	}
	return r.Do(func() error {
		back, err := threadGroup()
		if err != nil {
			return err
		}
		defer debug.SetGCPercent(debug.SetGCPercent(-1))
		warmHeap()
		tid := []byte(strconv.Itoa(unix.Gettid()))
		join := func(group string) error { return os.WriteFile(filepath.Join(group, "tasks"), tid, 0) }
		if err := join(group); err != nil {
			return fmt.Errorf("limiting memory: %w", err)
		}
		err = f()
		return errors.Join(err, join(back))
	})
}

// warmHeap leaves memory to the process that the kernel has given it already. A thread
// of the group whose own memory is at the limit would wait for ever, as nothing is
// killed there; only what the kernel allocates for it is to fail.
func warmHeap() {
	const enough = 256 << 20
	b := make([]byte, enough)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	runtime.KeepAlive(b)
	runtime.GC()
}

// threadGroup is the memory group that the thread is in (cgroups(7)).
func threadGroup() (string, error) {
	text, err := os.ReadFile("/proc/thread-self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && fields[1] == "memory" {
			return filepath.Join(memoryGroups, fields[2]), nil
		}
	}
	return "", fmt.Errorf("no memory group in %q", text)
}
