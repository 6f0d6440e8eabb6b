package dataplane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/planec/planec/backends/ebpf/live"
)

// ErrNoCgroup says that the eBPF backend's programs have no place: no cgroup2 is mounted.
var ErrNoCgroup = errors.New("no cgroup2 file system is mounted, which the programs of sockets need (mkdir -p /run/planec/cgroup && mount -t cgroup2 cgroup2 /run/planec/cgroup)")

// ErrNotRoot says that the cgroup2 that is mounted here is a part of the machine's: that of
// a container, as a rule.
var ErrNotRoot = errors.New("it is not the root of cgroup2 but a container's own: mount that of the machine here, and give its path (--cgroup)")

// ErrCgroupGone says that the programs were on a cgroup that was removed, or were detached
// from it: where they should be is not known, and the root would be more than was asked for.
var ErrCgroupGone = errors.New("the programs of sockets are detached, or their cgroup was removed: apply again, and say where they should be (--cgroup)")

// place is the cgroup that the programs should be on: the one that was asked for, or
// where they are or were at the last snapshot, or the root. Commands that are told of no cgroup then agree with the
// apply that was.
func (k *ebpfKernel) place() (string, error) {
	if k.cgroup != "" {
		return k.cgroup, nil
	}
	attached, err := k.sockets("").Attached()
	if err != nil {
		return "", err
	}
	for _, a := range attached {
		if path := pathOf(a.Cgroup); filepath.IsAbs(path) {
			return path, nil
		}
	}
	if k.snapshotted != "" {
		return k.snapshotted, nil
	}
	if len(attached) > 0 {
		return "", ErrCgroupGone
	}
	return Root()
}

// Root is the root of cgroup2, where the programs are unless another cgroup is given.
func Root() (string, error) {
	root := live.CgroupRoot()
	if root == "" {
		return "", ErrNoCgroup
	}
	// Every cgroup has a type but the root. In a container, what is mounted is the container's
	// own cgroup, and programs on it would see no pod.
	if _, err := os.Stat(filepath.Join(root, "cgroup.type")); err == nil {
		return "", fmt.Errorf("%s: %w", root, ErrNotRoot)
	}
	return root, nil
}

// pathOf is the path of a cgroup; "" if there is none, and its number where the path
// cannot be found out.
func pathOf(id uint64) string {
	if id == 0 {
		return ""
	}
	root := live.CgroupRoot()
	if own, err := live.CgroupID(root); err == nil && own == id {
		return root // which takes no privilege
	}
	path, err := live.CgroupPath(root, id)
	if err != nil {
		return fmt.Sprintf("cgroup %d", id)
	}
	return path
}

// CheckCgroup checks the path of a cgroup that a user gave.
func CheckCgroup(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%q is no absolute path", path)
	}
	if at, err := os.Stat(path); err == nil && !at.IsDir() {
		return fmt.Errorf("cgroup %s: it is no directory", path)
	}
	_, err := live.CgroupID(path)
	return err
}
