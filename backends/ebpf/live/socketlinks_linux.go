package live

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// socketLink is a link of a hook that is pinned.
type socketLink struct {
	link.Link
	// here is whether it is attached to the cgroup that is asked for, same whether its
	// program is the one that would be loaded.
	here, same bool
}

// socketLinks is what is pinned, by hook.
type socketLinks struct {
	links [len(hooks)]*socketLink
	// complete is whether every hook has the program that it should have.
	complete bool
}

func (l *socketLinks) close() error {
	var errs []error
	for _, x := range l.links {
		if x != nil {
			errs = append(errs, x.Close())
		}
	}
	return errors.Join(errs...)
}

// Missing says which hooks lack their program, a line each; none where all are
// attached as they should be.
func (s *Sockets) Missing() ([]string, error) {
	have, err := s.attached()
	if err != nil {
		return nil, err
	}
	var steps []string
	for i, h := range hooks {
		switch x := have.links[i]; {
		case x == nil, !x.here:
			steps = append(steps, "attach program "+h.program)
		case !x.same:
			steps = append(steps, "replace program "+h.program)
		}
	}
	return steps, have.close()
}

// attached looks at the links that are pinned.
func (s *Sockets) attached() (*socketLinks, error) {
	spec, err := s.spec()
	if err != nil {
		return nil, err
	}
	id, err := cgroupID(s.Cgroup)
	if err != nil {
		return nil, err
	}
	maps, err := newProgramMaps(s.Dir, spec)
	if err != nil {
		return nil, explain(err)
	}
	l := &socketLinks{complete: true}
	for i, h := range hooks {
		x, err := s.open(h, id, maps)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("looking at the link of %s: %w", h.program, explain(err)), l.close())
		}
		l.links[i] = x
		l.complete = l.complete && x != nil && x.here && x.same
	}
	return l, nil
}

// open opens a hook's link by its pin; nil is none.
func (s *Sockets) open(h hook, cgroup uint64, maps *programMaps) (*socketLink, error) {
	l, err := pinnedLink(filepath.Join(s.Dir, h.linkPin()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info, err := l.Info()
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	at := info.Cgroup()
	x := &socketLink{Link: l, here: at != nil && at.CgroupId == cgroup && ebpf.AttachType(at.AttachType) == h.attach}
	if x.same, err = sameProgram(info.Program, h.program, maps); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return x, nil
}

// sameProgram reports whether a loaded program has the instructions of one of the spec, and its
// maps.
func sameProgram(id ebpf.ProgramID, name string, maps *programMaps) (bool, error) {
	p, err := ebpf.NewProgramFromID(id)
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer p.Close()
	info, err := p.Info()
	if err != nil {
		return false, err
	}
	same, err := linked(maps.spec.Programs[name].Instructions).HasTag(info.Tag, maps.spec.ByteOrder)
	if err != nil || !same {
		return false, err
	}
	return maps.are(info)
}

// linked returns instructions as the kernel gets them, and makes the tag of: calls of functions of
// the same program say how far away these are. The library puts that in when it loads a program.
func linked(list asm.Instructions) asm.Instructions {
	out := slices.Clone(list)
	at := make(map[string]asm.RawInstructionOffset)
	for all := out.Iterate(); all.Next(); {
		if symbol := all.Ins.Symbol(); symbol != "" {
			at[symbol] = all.Offset
		}
	}
	for all := out.Iterate(); all.Next(); {
		if ins := all.Ins; ins.IsFunctionReference() && ins.Constant == -1 {
			if to, ok := at[ins.Reference()]; ok {
				ins.Constant = int64(to) - int64(all.Offset) - 1
			}
		}
	}
	return out
}

// cgroupID is the number by which links name a cgroup: that of its directory's inode.
func cgroupID(path string) (uint64, error) {
	var sys unix.Statfs_t
	if err := unix.Statfs(path, &sys); err != nil {
		return 0, fmt.Errorf("cgroup %s: %w", path, err)
	}
	if sys.Type != unix.CGROUP2_SUPER_MAGIC {
		return 0, fmt.Errorf("cgroup %s: %w", path, ErrNoCgroup)
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0, fmt.Errorf("cgroup %s: %w", path, err)
	}
	return st.Ino, nil
}

// ErrNoCgroup says that a path is in no cgroup2 file system.
var ErrNoCgroup = errors.New("it is not in a cgroup2 file system")

// CgroupRoot is where cgroup2 is mounted: the first of the usual places that is one, or "".
func CgroupRoot() string {
	for _, at := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/run/planec/cgroup"} {
		if _, err := os.Stat(at); err != nil {
			continue
		}
		if _, err := cgroupID(at); err == nil {
			return at
		}
	}
	return ""
}

// hasRetval reports whether a program of sockets can say which error a refusal is
// (Linux 5.18).
func hasRetval() bool {
	return features.HaveProgramHelper(ebpf.CGroupSockAddr, asm.FnSetRetval) == nil
}
