package live

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/rlimit"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/backends/ebpf/store"
)

// ErrNoImage means that no image has been loaded yet.
var ErrNoImage = errors.New("no image is loaded")

// Dataplane has the maps that outlive an image.
type Dataplane struct {
	mu     sync.Mutex
	outer  [numMaps]*ebpf.Map
	active *ebpf.Map
	// pinTo is where the maps are to be pinned once an image is in them, or "".
	pinTo string
	// services writes the Services of the active slot, in the maps that are kept open for
	// it; nil until the first load.
	services *services
	// step is called before each step of a load; tests interrupt the load there.
	step func(name string) error
}

// Open creates the maps, or opens those pinned below pinPath, a directory of a BPF
// file system. Maps that are not all there, or are of another layout, are replaced by new
// ones when an image is loaded. If pinPath is "", nothing is pinned, and the maps live as
// long as the Dataplane and the programs that use them.
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
		missing, err := d.look(pinPath, nil)
		if err != nil || len(missing) == 0 && d.compatible() {
			return err
		}
		// Programs may use what is there until others are attached: so it stays as it is.
		if err := d.Close(); err != nil {
			return err
		}
	}
	d.pinTo = pinPath
	for i := range d.outer {
		var err error
		if d.outer[i], err = explained(ebpf.NewMap(outerSpec(mapLayout(i)))); err != nil {
			return fmt.Errorf("creating map %s: %w", mapLayout(i).Name, err)
		}
	}
	var err error
	if d.active, err = explained(ebpf.NewMap(activeSpec())); err != nil {
		return fmt.Errorf("creating map active: %w", err)
	}
	return nil
}

// compatible reports whether the slots take the maps of this layout: an array of maps does
// not say what it is for, so its maps are asked.
func (d *Dataplane) compatible() bool {
	for i, outer := range d.outer {
		for slot := range uint32(layout.Slots) {
			var m *ebpf.Map
			if outer.Lookup(slot, &m) != nil {
				continue
			}
			l := mapLayout(i)
			same := m.Type() == ebpf.MapType(l.Type) && m.KeySize() == l.KeySize && m.ValueSize() == l.ValueSize && m.Flags() == l.Flags
			if m.Close(); !same {
				return false
			}
		}
	}
	return true
}

func explained(m *ebpf.Map, err error) (*ebpf.Map, error) { return m, explain(err) }

// pin pins maps that an image was loaded into, in the place of all that is there. The pin
// of active is the commit point: it goes first and comes last, and without it there is no
// image.
func (d *Dataplane) pin() error {
	if d.pinTo == "" {
		return nil
	}
	specs := pinnedSpecs()
	for _, spec := range append(specs, formerSpecs()...) {
		if err := removePin(spec, d.pinTo); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("map %s: %w", spec.Name, err)
		}
	}
	for i := range d.outer {
		if err := d.outer[i].Pin(filepath.Join(d.pinTo, specs[1+i].Name)); err != nil {
			return fmt.Errorf("map %s: %w", specs[1+i].Name, err)
		}
	}
	if err := d.active.Pin(filepath.Join(d.pinTo, specs[0].Name)); err != nil {
		return fmt.Errorf("map %s: %w", specs[0].Name, err)
	}
	d.pinTo = ""
	return nil
}

// look opens the pinned maps, and returns the names of those that are not pinned.
func (d *Dataplane) look(dir string, opts *ebpf.LoadPinOptions) (missing []string, err error) {
	for i, spec := range pinnedSpecs() {
		m, err := pinned(spec, dir, opts)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, spec.Name)
		case err != nil:
			return nil, fmt.Errorf("map %s: %w", spec.Name, err)
		case i == 0:
			d.active = m
		default:
			d.outer[i-1] = m
		}
	}
	return missing, nil
}

// Active returns the slot that programs use.
func (d *Dataplane) Active() (uint32, error) {
	var value uint64
	if err := d.active.Lookup(uint32(0), &value); err != nil {
		return 0, fmt.Errorf("map active: %w", err)
	}
	slot, _ := layout.ActiveParts(value)
	if slot >= layout.Slots {
		return 0, fmt.Errorf("map active: slot %d of %d", slot, layout.Slots)
	}
	return uint32(slot), nil
}

// wait returns when no program runs any more that has begun before. Some kernels refuse
// membarrier(2) (nohz_full).
func (d *Dataplane) wait() error {
	err := store.Grace()
	if err == nil {
		return nil
	}
	if byWriting := d.waitByWriting(); byWriting != nil {
		return errors.Join(err, byWriting)
	}
	return nil
}

// waitByWriting writes to an array of maps, after which the kernel waits for running programs
// (commit 1ae80cf31938).
func (d *Dataplane) waitByWriting() error {
	slot, err := d.Active()
	if err != nil {
		return err
	}
	m, err := d.inner(0, slot)
	if err != nil {
		return err
	}
	defer m.Close()
	return d.outer[0].Put(slot, m)
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
	if d.services != nil {
		errs = append(errs, d.services.close())
		d.services = nil
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

// removePin removes a pin of planec; any other object is left.
func removePin(spec *ebpf.MapSpec, dir string) error {
	m, err := pinned(spec, dir, nil)
	if err != nil {
		return err
	}
	return errors.Join(os.Remove(filepath.Join(dir, spec.Name)), m.Close())
}
