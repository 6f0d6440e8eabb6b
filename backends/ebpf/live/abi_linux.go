package live

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends/ebpf/bpf"
	"github.com/planec/planec/backends/ebpf/layout"
)

// ErrABI says that the maps were written for other programs than these.
var ErrABI = errors.New("the maps in the kernel are for programs of another version of planec: apply first")

// checkABI compares the version of programs that the active maps are for with that of the
// programs of this build. Maps without an image suit all.
func checkABI(dir string) error {
	d := &Dataplane{}
	defer d.Close()
	if _, err := d.look(dir, &ebpf.LoadPinOptions{ReadOnly: true}); err != nil {
		return err
	}
	if d.active == nil || d.outer[0] == nil {
		return nil
	}
	slot, err := d.Active()
	if err != nil {
		return err
	}
	meta, err := d.inner(0, slot)
	if errors.Is(err, ErrNoImage) || errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("map meta: %w", err)
	}
	defer meta.Close()
	b, err := meta.LookupBytes(uint32(0))
	if err != nil {
		return fmt.Errorf("map meta: %w", err)
	}
	if len(b) != layout.MetaSize {
		return fmt.Errorf("%w: meta has %d bytes instead of %d", ErrABI, len(b), layout.MetaSize)
	}
	if info := layout.DecodeInfo(b); info.ABI != bpf.ABI {
		return fmt.Errorf("%w: they are for version %d, the programs are of %d", ErrABI, info.ABI, bpf.ABI)
	}
	return nil
}
