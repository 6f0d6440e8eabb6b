package live

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	image "github.com/planec/planec/backends/ebpf"
)

// observe reads the active image; it is want, without another look at its content, if the maps
// have exactly that. want may be nil.
func (p *Pins) observe(ctx context.Context, want *image.Image) (*State, error) {
	if err := checkFS(p.Dir); err != nil {
		return nil, err
	}
	unlock, err := p.lock(ctx, unix.LOCK_SH)
	if errors.Is(err, fs.ErrNotExist) {
		return &State{missing: names(pinnedSpecs())}, nil
	}
	if err != nil {
		return nil, err
	}
	defer unlock()
	d := &Dataplane{}
	defer d.Close()
	missing, err := d.look(p.Dir, &ebpf.LoadPinOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	s := &State{missing: missing}
	if d.active == nil {
		return s, nil
	}
	if len(missing) == 0 && p.hasLoaded(d, want) {
		s.Image = want
		return s, nil
	}
	g, err := d.generation()
	defer g.close()
	if err == nil {
		err = g.frozen()
	}
	if err == nil {
		s.Image, err = d.readAs(&g, want)
	}
	s.broken = err
	return s, nil
}

// loaded describes maps that were read back. Other processes take turns by the lock and commit by
// one store of active, so the same maps with the same value have the same content.
type loaded struct {
	image  image.Digest
	active uint64
	maps   [numMaps]ebpf.MapID
}

// loaded describes the active maps, which have an image.
func (d *Dataplane) loaded(img *image.Image) (*loaded, error) {
	slot, err := d.Active()
	if err != nil {
		return nil, err
	}
	l := &loaded{image: img.Digest()}
	if err := d.active.Lookup(uint32(0), &l.active); err != nil {
		return nil, fmt.Errorf("map active: %w", err)
	}
	for i, outer := range d.outer {
		if err := outer.Lookup(slot, (*uint32)(&l.maps[i])); err != nil {
			return nil, fmt.Errorf("map %s: %w", mapLayout(i).Name, err)
		}
	}
	return l, nil
}

// hasLoaded reports, once after an apply, whether the maps are those that it has left.
func (p *Pins) hasLoaded(d *Dataplane, want *image.Image) bool {
	p.mu.Lock()
	l := p.loaded
	p.loaded = nil
	p.mu.Unlock()
	if l == nil || want == nil {
		return false
	}
	now, err := d.loaded(want)
	return err == nil && *now == *l
}

// readAs is read, and returns want if that is what there is.
func (d *Dataplane) readAs(g *generation, want *image.Image) (*image.Image, error) {
	if want != nil {
		if same, err := d.means(g, want); same && err == nil {
			return want, nil
		}
	}
	return d.read(g)
}

func names(specs []*ebpf.MapSpec) []string {
	out := make([]string, len(specs))
	for i, s := range specs {
		out[i] = s.Name
	}
	return out
}

// frozen wants the maps of the rest to be as they will remain.
func (g *generation) frozen() error {
	for i := range stored {
		info, err := g[i].Info()
		if err != nil {
			return fmt.Errorf("map %s: %w", mapLayout(i).Name, err)
		}
		if !info.Frozen() {
			return fmt.Errorf("map %s: it is not frozen", mapLayout(i).Name)
		}
	}
	return nil
}

// Doubt has the next [Pins.ObserveFor] read everything: something failed after the apply.
func (p *Pins) Doubt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.loaded = nil
}
