package live

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Fingerprint identifies the active generation without reading its entries: it
// consists of the kernel's IDs of the maps, which are frozen.
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
	missing, err := d.look(p.Dir)
	if err != nil || d.active == nil {
		return fmt.Sprint("missing ", missing), err
	}
	g, err := d.generation()
	defer g.close()
	if err != nil {
		return fmt.Sprint("missing ", missing), err
	}
	id, err := g.identify()
	return fmt.Sprint(missing, id), err
}
