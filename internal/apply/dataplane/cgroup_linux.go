package dataplane

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/planec/planec/backends/ebpf/live"
)

// ErrNoCgroup says that the eBPF backend's programs have no place: no cgroup2 is mounted.
var ErrNoCgroup = errors.New("no cgroup2 file system is mounted, which the programs of sockets need (mkdir -p /run/planec/cgroup && mount -t cgroup2 cgroup2 /run/planec/cgroup)")

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
		if path := pathOf(a.Cgroup); path != "" {
			return path, nil
		}
	}
	if k.snapshotted != "" {
		return k.snapshotted, nil
	}
	return Root()
}

// Root is the root of cgroup2, where the programs are unless another cgroup is given.
func Root() (string, error) {
	if root := live.CgroupRoot(); root != "" {
		return root, nil
	}
	return "", ErrNoCgroup
}

// pathOf is the path of a cgroup; "" if it is not known or there is none.
func pathOf(id uint64) string {
	if id == 0 {
		return ""
	}
	path, err := live.CgroupPath(live.CgroupRoot(), id)
	if err != nil {
		return ""
	}
	return path
}

// CheckCgroup checks the path of a cgroup that a user gave.
func CheckCgroup(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%q is no absolute path", path)
	}
	return live.CheckCgroup(path)
}
