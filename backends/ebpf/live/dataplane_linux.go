package live

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/ebpf/layout"
)

// ErrNoImage means that no image has been loaded yet.
var ErrNoImage = errors.New("no image is loaded")

// Dataplane has the maps that outlive an image.
type Dataplane struct {
	mu     sync.Mutex
	outer  [layout.NumMaps]*ebpf.Map
	active *ebpf.Map
	// word is the active slot in memory shared with the kernel, or nil if the maps
	// are only read.
	word *uint64
	page []byte
	// step is called before each step of a load; tests interrupt the load there.
	step func(name string) error
}

// Open creates the maps, or opens those pinned below pinPath, a directory of a BPF
// file system. If pinPath is "", nothing is pinned, and the maps live as long as
// the Dataplane and the programs that use them.
func Open(pinPath string) (*Dataplane, error) {
	d := &Dataplane{step: func(string) error { return nil }}
	if err := d.open(pinPath); err != nil {
		return nil, fmt.Errorf("opening the eBPF maps: %w", errors.Join(err, d.Close()))
	}
	return d, nil
}

func (d *Dataplane) open(pinPath string) error {
	// Kernels before 5.11 account maps to RLIMIT_MEMLOCK.
	if err := rlimit.RemoveMemlock(); err != nil {
		return err
	}
	if pinPath != "" {
		if err := makeDir(pinPath); err != nil {
			return err
		}
	}
	var err error
	for i, l := range layout.Maps() {
		if d.outer[i], err = newMap(outerSpec(l), pinPath); err != nil {
			return fmt.Errorf("map %s: %w", l.Name, err)
		}
	}
	if d.active, err = newMap(activeSpec(), pinPath); err != nil {
		return fmt.Errorf("map active: %w", err)
	}
	d.page, err = unix.Mmap(d.active.FD(), 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map active: mmap: %w", err)
	}
	d.word = (*uint64)(unsafe.Pointer(unsafe.SliceData(d.page)))
	// An earlier process may have died between its flip and the end of the grace
	// period.
	return d.wait()
}

// newMap opens a pinned map, or creates and pins it. It does not pin the map if
// pinPath is "".
func newMap(spec *ebpf.MapSpec, pinPath string) (*ebpf.Map, error) {
	if pinPath == "" {
		spec.Pinning = ebpf.PinNone
		return explained(ebpf.NewMap(spec))
	}
	m, err := pinned(spec, pinPath, nil)
	if !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	return explained(ebpf.NewMapWithOptions(spec, ebpf.MapOptions{PinPath: pinPath}))
}

func explained(m *ebpf.Map, err error) (*ebpf.Map, error) { return m, explain(err) }

// Active returns the slot that programs use.
func (d *Dataplane) Active() (uint32, error) {
	var slot uint64
	if d.word != nil {
		slot = atomic.LoadUint64(d.word)
	} else if err := d.active.Lookup(uint32(0), &slot); err != nil {
		return 0, fmt.Errorf("map active: %w", err)
	}
	if slot >= layout.Slots {
		return 0, fmt.Errorf("map active: slot %d of %d", slot, layout.Slots)
	}
	return uint32(slot), nil
}

// flip makes a slot the active one with a single aligned store, which is atomic
// for programs. An update by system call would copy eight single bytes.
func (d *Dataplane) flip(slot uint32) { atomic.StoreUint64(d.word, uint64(slot)) }

// wait returns when no program that read the old active slot runs any more. The
// kernel waits for running programs whenever user space writes to an array of maps
// (commit 1ae80cf31938), so wait rewrites the map in the active slot.
func (d *Dataplane) wait() error {
	slot, err := d.Active()
	if err != nil {
		slot = 0 // programs find no image in this state; any write waits
	}
	m, err := d.inner(layout.Meta, slot)
	if errors.Is(err, ErrNoImage) {
		return nil
	} else if err != nil {
		return err
	}
	defer m.Close()
	return d.outer[layout.Meta].Put(slot, m)
}

// inner opens the map that is in a slot.
func (d *Dataplane) inner(index int, slot uint32) (*ebpf.Map, error) {
	var m *ebpf.Map
	err := d.outer[index].Lookup(slot, &m)
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return nil, ErrNoImage
	}
	return m, err
}

// Close closes the maps; pinned and used maps remain.
func (d *Dataplane) Close() error {
	var errs []error
	if d.page != nil {
		errs = append(errs, unix.Munmap(d.page))
		d.page, d.word = nil, nil
	}
	for i, m := range d.outer {
		if m != nil {
			errs = append(errs, m.Close())
			d.outer[i] = nil
		}
	}
	if d.active != nil {
		errs = append(errs, d.active.Close())
		d.active = nil
	}
	return errors.Join(errs...)
}
