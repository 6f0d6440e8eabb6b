package live

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/ebpf/bpf"
)

// hook is a place of a cgroup where a program of sockets runs.
type hook struct {
	program string
	attach  ebpf.AttachType
}

// hooks are in the order in which they are attached: a socket that is sent to an
// endpoint must find what turns its answers back. They are detached in the other order.
var hooks = [...]hook{
	{"recvmsg4", ebpf.AttachCGroupUDP4Recvmsg},
	{"recvmsg6", ebpf.AttachCGroupUDP6Recvmsg},
	{"getpeername4", ebpf.AttachCgroupInet4GetPeername},
	{"getpeername6", ebpf.AttachCgroupInet6GetPeername},
	{"sendmsg4", ebpf.AttachCGroupUDP4Sendmsg},
	{"sendmsg6", ebpf.AttachCGroupUDP6Sendmsg},
	{"connect4", ebpf.AttachCGroupInet4Connect},
	{"connect6", ebpf.AttachCGroupInet6Connect},
}

// linkPin is the name of the pin of a hook's link.
func (h hook) linkPin() string { return namePrefix + "link_" + h.program }

// stateMaps are what running programs remember: they are pinned, so that other programs
// under the same links go on with them.
var stateMaps = [...]string{namePrefix + "aff", namePrefix + "origin", namePrefix + "answers", hitsMap, countingMap}

// Sockets are the programs that translate connections when they are opened, on one
// cgroup and all below it.
type Sockets struct {
	// Dir is the directory of the BPF file system where the maps of images are pinned;
	// links and the programs' own maps are pinned beside them.
	Dir string
	// Cgroup is the path of a directory of cgroup2.
	Cgroup string
	// Parsed, if not nil, keeps the programs of sockets from one call to the next.
	Parsed *Parsed
}

// Parsed has the programs of sockets as they are before they are loaded, once something has needed
// them. It is safe for concurrent use.
type Parsed struct {
	mu   sync.Mutex
	spec *ebpf.CollectionSpec
}

// sockets returns a copy for the caller. p may be nil.
func (p *Parsed) sockets() (*ebpf.CollectionSpec, error) {
	if p == nil {
		return bpf.LoadSocket()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spec == nil {
		var err error
		if p.spec, err = bpf.LoadSocket(); err != nil {
			return nil, err
		}
	}
	return p.spec.Copy(), nil
}

// Attach loads the programs and puts them into every hook, or leaves those that are
// there and the same. It returns what it did, a line each. The maps of an image must be
// pinned. A hook that cannot be attached leaves those before it attached: an Attach that
// follows completes them, and Detach removes them.
func (s *Sockets) Attach(ctx context.Context) (steps []string, err error) {
	have, err := s.attached()
	if err != nil {
		return nil, err
	}
	if have.complete {
		return nil, have.close()
	}
	defer func() { err = errors.Join(err, have.close()) }()
	c, err := s.load()
	if err != nil {
		return nil, fmt.Errorf("loading the programs of sockets: %w", explain(err))
	}
	defer c.Close()
	for i, h := range hooks {
		if err := ctx.Err(); err != nil {
			return steps, err
		}
		step, err := s.attach(h, have.links[i], c.Programs[h.program])
		if err != nil {
			return steps, fmt.Errorf("attaching %s to %s: %w", h.program, s.Cgroup, explain(err))
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// attach puts a program into a hook: under the link that is there, or by a new one.
func (s *Sockets) attach(h hook, old *socketLink, p *ebpf.Program) (string, error) {
	if old != nil && old.here {
		return "replace program " + h.program, old.Update(p)
	}
	l, err := link.AttachCgroup(link.CgroupOptions{Path: s.Cgroup, Attach: h.attach, Program: p})
	if err != nil {
		return "", err
	}
	defer l.Close()
	if old != nil { // of another cgroup: its link ends once both are there
		if err := old.Unpin(); err != nil {
			return "", err
		}
	}
	return "attach program " + h.program, l.Pin(filepath.Join(s.Dir, h.linkPin()))
}

// load loads the programs with the maps that are pinned, and pins those of their own.
func (s *Sockets) load() (*ebpf.Collection, error) {
	if err := checkABI(s.Dir); err != nil {
		return nil, err
	}
	spec, err := s.spec()
	if err != nil {
		return nil, err
	}
	delete(spec.Programs, "ask")
	maps := make(map[string]*ebpf.Map)
	defer func() {
		for _, m := range maps {
			_ = m.Close()
		}
	}()
	for name := range spec.Maps {
		if !strings.HasPrefix(name, namePrefix) {
			continue // constants of the programs
		}
		m, err := ebpf.LoadPinnedMap(filepath.Join(s.Dir, name), nil)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("map %s: %w", name, err)
		}
		maps[name] = m
	}
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: maps})
	if err != nil {
		return nil, err
	}
	for _, name := range stateMaps {
		if maps[name] != nil {
			continue
		}
		if err := c.Maps[name].Pin(filepath.Join(s.Dir, name)); err != nil {
			return nil, errors.Join(fmt.Errorf("map %s: %w", name, err), closed(c))
		}
	}
	return c, nil
}

func closed(c *ebpf.Collection) error { c.Close(); return nil }

// spec is what is to be loaded on this kernel: constants say what it can do.
func (s *Sockets) spec() (*ebpf.CollectionSpec, error) {
	spec, err := s.Parsed.sockets()
	if err != nil {
		return nil, err
	}
	cookie, err := netnsCookie()
	if err != nil {
		return nil, fmt.Errorf("the cookie of the network namespace: %w", err)
	}
	if err := spec.Variables["node_netns"].Set(cookie); err != nil {
		return nil, err
	}
	return spec, spec.Variables["have_retval"].Set(hasRetval())
}

// netnsCookie is the cookie of the network namespace that the calling thread is in
// (SO_NETNS_COOKIE, Linux 5.14).
func netnsCookie() (uint64, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	return unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
}

// Detach removes the programs and what they remember, and says what. Connections that
// were translated go on: their sockets are connected to endpoints.
func (s *Sockets) Detach() (removed []string, err error) {
	var errs []error
	for i := len(hooks) - 1; i >= 0; i-- {
		h := hooks[i]
		err := os.Remove(filepath.Join(s.Dir, h.linkPin()))
		if err == nil {
			removed = append(removed, "detach program "+h.program)
		} else if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("detaching %s: %w", h.program, err))
		}
	}
	for _, name := range stateMaps {
		if err := os.Remove(filepath.Join(s.Dir, name)); err == nil {
			removed = append(removed, "remove map "+name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("removing map %s: %w", name, err))
		}
	}
	return removed, errors.Join(errs...)
}
