package live

import (
	"errors"
	"fmt"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
)

// Read reads the active image from the kernel and verifies it; the image has no
// symbols. ErrNoImage means that there is none.
func (d *Dataplane) Read() (*image.Image, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g, err := d.generation()
	defer g.close()
	if err != nil {
		return nil, fmt.Errorf("reading the eBPF maps: %w", err)
	}
	return g.read()
}

// generation opens the active maps. The caller must close them even if there is an
// error.
func (d *Dataplane) generation() (generation, error) {
	var g generation
	slot, err := d.Active()
	if err != nil {
		return g, err
	}
	for i, l := range layout.Maps() {
		if d.outer[i] == nil {
			return g, fmt.Errorf("map %s: %w", l.Name, ErrNoImage)
		}
		g[i], err = d.inner(i, slot)
		if errors.Is(err, ErrNoImage) && i >= layout.MapsFor(0) {
			// The version that loaded this image did not know policies. read
			// requires all entries that meta counts.
			continue
		} else if err != nil {
			return g, fmt.Errorf("map %s: %w", l.Name, err)
		}
	}
	return g, nil
}

// read reads the entries of all maps; meta has the expected numbers of entries.
func (g *generation) read() (*image.Image, error) {
	var entries [layout.NumMaps][]byte
	var err error
	if entries[layout.Meta], err = transfers[layout.Meta].read(g[layout.Meta], 1); err != nil {
		return nil, fmt.Errorf("map meta: %w", err)
	}
	info := layout.DecodeInfo(entries[layout.Meta])
	err = each(func(i int, _ layout.Map) error {
		n := info.Count(i)
		switch {
		case i == layout.Meta || g[i] == nil && n == 0:
			return nil
		case g[i] == nil:
			return ErrNoImage
		}
		if got := g[i].MaxEntries(); got != max(1, n) {
			return fmt.Errorf("made for %d entries instead of %d", got, n)
		}
		var err error
		entries[i], err = transfers[i].read(g[i], int(n))
		return err
	})
	if err != nil {
		return nil, err
	}
	return image.NewImage(entries)
}
