package testkit

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// NotRoot is an error if a path is no cgroup, or the root of cgroup2, where a test's
// programs would change what every process of the machine connects to.
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
