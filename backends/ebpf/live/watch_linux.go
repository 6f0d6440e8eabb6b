package live

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/ebpf/layout"
)

// Watch tells cheaply whether maps, pins or programs have changed. It keeps maps and the
// cgroup open, but no link: a program that another process detaches must go at once.
//
// A look is eleven system calls: the directory's time says whether pins came or went, the
// value of active whether planec changed anything, and the kernel's numbers of the cgroup's
// programs, a call for each hook, whether one was detached or replaced. No call tells of all
// hooks: the revision of programs that the kernel counts is one hook's too. Of the maps in use,
// which only another program can replace without a change of active, each look asks for one.
type Watch struct {
	mu     sync.Mutex
	dir    string
	seen   unix.Stat_t
	active *ebpf.Map
	outer  []*ebpf.Map // the arrays of generations
	// numbers are the value of active and the kernel's numbers of the maps in its slot, as they
	// were read last, or none; next is which of the maps is read next.
	numbers []uint64
	next    int
	cgroup  int // a descriptor; -1 is none
	at      string
	// ids are what a query of programs fills: memory that does not move meanwhile.
	ids [mostPrograms]uint32
}

// NewWatch returns a Watch of a directory of pins, which opens what it needs.
func NewWatch(dir string) *Watch { return &Watch{dir: dir, cgroup: -1} }

// Fingerprint is different after a change of pins, of the active generation, or of the
// programs on the cgroup, by any process.
func (w *Watch) Fingerprint(cgroup string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var now unix.Stat_t
	err := unix.Stat(w.dir, &now)
	if errors.Is(err, fs.ErrNotExist) {
		w.close()
		return "nothing", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking at %s: %w", w.dir, err)
	}
	if w.active == nil || now.Ino != w.seen.Ino || now.Dev != w.seen.Dev || now.Mtim != w.seen.Mtim || w.at != cgroup {
		w.close()
		if err := w.open(cgroup); err != nil {
			w.close()
			return "", err
		}
		w.seen, w.at = now, cgroup
	}
	out := fmt.Sprint(now.Dev, now.Ino, now.Mtim.Nano())
	generation, err := w.generation()
	if err != nil {
		return "", err
	}
	programs, err := w.programs()
	return fmt.Sprint(out, generation, programs), err
}

func (w *Watch) open(cgroup string) (err error) {
	for i, spec := range pinnedSpecs() {
		m, err := pinned(spec, w.dir, &ebpf.LoadPinOptions{ReadOnly: true})
		if err != nil {
			return fmt.Errorf("map %s: %w", spec.Name, err)
		}
		if i == 0 {
			w.active = m
			continue
		}
		w.outer = append(w.outer, m)
	}
	if w.cgroup, err = unix.Open(cgroup, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		w.cgroup = -1
		return fmt.Errorf("cgroup %s: %w", cgroup, err)
	}
	return nil
}

func (w *Watch) close() {
	for _, m := range w.outer {
		_ = m.Close() // only read
	}
	if w.active != nil {
		_ = w.active.Close()
	}
	w.active, w.outer, w.numbers = nil, nil, nil
	if w.cgroup >= 0 {
		_ = unix.Close(w.cgroup)
	}
	w.cgroup = -1
}

// generation is the value of active, and the numbers of the maps in its slot: a change of
// what programs see changes one of them. After a change of active all maps are read, and
// otherwise one.
func (w *Watch) generation() ([]uint64, error) {
	var active uint64
	if err := w.active.Lookup(uint32(0), &active); err != nil {
		return nil, fmt.Errorf("map active: %w", err)
	}
	slot := uint32(active) % layout.Slots
	if w.numbers == nil || w.numbers[0] != active {
		w.numbers = nil
		numbers := []uint64{active}
		for _, m := range w.outer {
			id, err := inSlot(m, slot)
			if err != nil {
				return nil, err
			}
			numbers = append(numbers, id)
		}
		w.numbers = numbers
		return numbers, nil
	}
	w.next = (w.next + 1) % len(w.outer)
	id, err := inSlot(w.outer[w.next], slot)
	if err != nil {
		return nil, err
	}
	w.numbers[1+w.next] = id
	return w.numbers, nil
}

// inSlot is the number of the map in a slot; 0 is none.
func inSlot(outer *ebpf.Map, slot uint32) (uint64, error) {
	var id uint32
	if err := outer.Lookup(slot, &id); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return 0, fmt.Errorf("%v: %w", outer, err)
	}
	return uint64(id), nil
}

// programs are the numbers of the programs at each hook of the cgroup.
func (w *Watch) programs() (out [len(hooks)][]uint32, err error) {
	for i, h := range hooks {
		if out[i], err = w.query(h.attach); err != nil {
			return out, fmt.Errorf("the programs of cgroup %s: %w", w.at, explain(err))
		}
	}
	return out, nil
}

// mostPrograms is how many programs of one hook a look reads; more are cut off.
const mostPrograms = 16

// query reads the programs at one hook with one call (BPF_PROG_QUERY). The library makes
// two for each.
func (w *Watch) query(at ebpf.AttachType) ([]uint32, error) {
	attr := struct {
		target, attach, query, flags uint32
		ids                          uint64
		count, pad                   uint32
		attachFlags                  uint64
		linkIDs, linkFlags, revision uint64
	}{target: uint32(w.cgroup), attach: uint32(at), ids: uint64(uintptr(unsafe.Pointer(&w.ids))), count: mostPrograms}
	const progQuery = 16
	_, _, errno := unix.Syscall(unix.SYS_BPF, progQuery, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(w)
	if errno != 0 && errno != unix.ENOSPC {
		return nil, errno
	}
	return slices.Clone(w.ids[:min(attr.count, mostPrograms)]), nil
}
