package live

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Fingerprint identifies what is active without reading its entries: it consists of the
// kernel's IDs of the maps, and of the value of active, which every commit changes.
func (p *Pins) Fingerprint(ctx context.Context) (string, error) {
	unlock, err := p.lock(ctx, unix.LOCK_SH)
	if errors.Is(err, fs.ErrNotExist) {
		return "nothing", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking at the eBPF maps in %s: %w", p.Dir, err)
	}
	defer unlock()
	d := &Dataplane{}
	defer d.Close()
	missing, err := d.look(p.Dir, &ebpf.LoadPinOptions{ReadOnly: true})
	if err != nil || d.active == nil {
		return fmt.Sprint("missing ", missing), err
	}
	var active uint64
	if err := d.active.Lookup(uint32(0), &active); err != nil {
		return "", fmt.Errorf("map active: %w", err)
	}
	var ids [numMaps]uint32
	for i, outer := range d.outer {
		slot := uint32(active & 0xff)
		if outer == nil || outer.Lookup(slot, &ids[i]) != nil {
			ids[i] = 0 // what cannot be looked up has no number
		}
	}
	return fmt.Sprintf("%v %x %v", missing, active, ids), nil
}
