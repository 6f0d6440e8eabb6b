package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Attached is a program of sockets that has a pinned link.
type Attached struct {
	Program string         // its name: "connect4"
	ID      ebpf.ProgramID // the kernel's number of it
	// Cgroup is the kernel's number of the cgroup; 0 if the link was detached.
	Cgroup uint64
}

// Attached lists what the pinned links have attached, in the order in which programs are
// attached. It changes nothing, and needs no cgroup.
func (s *Sockets) Attached() ([]Attached, error) {
	var out []Attached
	for _, h := range hooks {
		l, err := pinnedLink(filepath.Join(s.Dir, h.linkPin()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("looking at the link of %s: %w", h.program, explain(err))
		}
		info, err := l.Info()
		if err := errors.Join(err, l.Close()); err != nil {
			return nil, fmt.Errorf("looking at the link of %s: %w", h.program, explain(err))
		}
		a := Attached{Program: h.program, ID: info.Program}
		if at := info.Cgroup(); at != nil {
			a.Cgroup = at.CgroupId
		}
		out = append(out, a)
	}
	return out, nil
}

// Left says what Detach would remove, without a change.
func (s *Sockets) Left() ([]string, error) {
	var steps []string
	look := func(pin, step string) error {
		_, err := os.Lstat(filepath.Join(s.Dir, pin))
		if err == nil {
			steps = append(steps, step)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("looking for the programs of sockets: %w", err)
		}
		return nil
	}
	for _, h := range slices.Backward(hooks[:]) {
		if err := look(h.linkPin(), "detach program "+h.program); err != nil {
			return nil, err
		}
	}
	for _, name := range stateMaps {
		if err := look(name, "remove map "+name); err != nil {
			return nil, err
		}
	}
	return steps, nil
}

// CgroupID is the kernel's number of the cgroup at a path; [ErrNoCgroup] says that the path
// is in another file system.
func CgroupID(path string) (uint64, error) { return cgroupID(path) }

// CgroupPath is the path of the cgroup with a number, below a directory of cgroup2.
func CgroupPath(root string, id uint64) (string, error) {
	dir, err := unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("cgroup %s: %w", root, err)
	}
	defer unix.Close(dir)
	// A handle of kernfs is the number of the directory (FILEID_KERNFS, linux/exportfs.h).
	const kernfs = 0xfe
	handle := make([]byte, 8)
	binary.NativeEndian.PutUint64(handle, id)
	fd, err := unix.OpenByHandleAt(dir, unix.NewFileHandle(kernfs, handle), unix.O_PATH|unix.O_CLOEXEC)
	if err != nil {
		return "", fmt.Errorf("cgroup %d: %w", id, err)
	}
	defer unix.Close(fd)
	path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return "", fmt.Errorf("cgroup %d: %w", id, err)
	}
	return path, nil
}
