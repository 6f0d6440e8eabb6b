package live

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
)

// generationID has the kernel's IDs of the maps of a generation.
type generationID [layout.NumMaps]ebpf.MapID

func (p *Pins) observe(ctx context.Context) (*State, error) {
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
	missing, err := d.look(p.Dir)
	if err != nil {
		return nil, err
	}
	s := &State{missing: missing}
	if d.active == nil {
		return s, nil
	}
	g, err := d.generation()
	defer g.close()
	if errors.Is(err, ErrNoImage) && len(missing) == 0 && g[layout.Meta] == nil {
		return s, nil // no image was ever loaded
	}
	if err == nil {
		s.Image, err = p.image(&g)
	}
	s.broken = err
	return s, nil
}

// look opens the pinned maps for reading, and returns the names of those that are
// not pinned.
func (d *Dataplane) look(dir string) (missing []string, err error) {
	for i, spec := range pinnedSpecs() {
		m, err := pinned(spec, dir, &ebpf.LoadPinOptions{ReadOnly: true})
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

func names(specs []*ebpf.MapSpec) []string {
	out := make([]string, len(specs))
	for i, s := range specs {
		out[i] = s.Name
	}
	return out
}

// image reads a generation, or returns the cached image if the IDs are the same:
// frozen maps cannot change.
func (p *Pins) image(g *generation) (*image.Image, error) {
	id, err := g.identify()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if id == p.seen && p.seenImage != nil {
		return p.seenImage, nil
	}
	img, err := g.read()
	if err != nil {
		return nil, err
	}
	p.seen, p.seenImage = id, img
	return img, nil
}

// identify returns the IDs of the maps. Maps that are not frozen are an error,
// because their content may change after the read.
func (g *generation) identify() (id generationID, err error) {
	for i, l := range layout.Maps() {
		if g[i] == nil {
			continue
		}
		info, err := g[i].Info()
		if err != nil {
			return id, fmt.Errorf("map %s: %w", l.Name, err)
		}
		if !info.Frozen() {
			return id, fmt.Errorf("map %s: it is not frozen", l.Name)
		}
		id[i], _ = info.ID()
	}
	return id, nil
}
