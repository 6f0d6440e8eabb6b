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

// memoryGroups is where control groups version 1 limit memory.
const memoryGroups = "/sys/fs/cgroup/memory"

// RequireMemoryLimit skips the test, or fails it in CI, if WithMemory cannot work:
// it needs the memory controller of control groups version 1, because version 2
// kills the process instead of returning an error.
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

// WithMemory is Do with a limit on the memory, in bytes, that the kernel allocates on
// behalf of the thread; beyond it, allocations fail with ENOMEM. The process's own
// memory is not limited, because it is accounted to the process and not to the thread.
func (r *Rig) WithMemory(bytes int, f func() error) error {
	group, err := os.MkdirTemp(memoryGroups, "planec-test-")
	if err != nil {
		return fmt.Errorf("a control group for memory: %w", err)
	}
	defer os.Remove(group) // the group is empty then
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

// warmHeap makes the process keep memory that the kernel has already allocated. A
// thread of the group whose own memory reaches the limit would wait forever,
// because nothing is killed there; only the kernel's allocations must fail.
func warmHeap() {
	const enough = 256 << 20
	b := make([]byte, enough)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	runtime.KeepAlive(b)
	runtime.GC()
}

// threadGroup returns the memory group of the thread (cgroups(7)).
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
