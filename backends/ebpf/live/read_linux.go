package live

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/backends/ebpf/store"
)

// Read reads the active image from the kernel, in its canonical form, and verifies it; the
// image has no symbols. ErrNoImage means that there is none.
func (d *Dataplane) Read() (*image.Image, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g, err := d.generation()
	defer g.close()
	if err != nil {
		return nil, fmt.Errorf("reading the eBPF maps: %w", err)
	}
	return d.read(&g)
}

// generation opens the active maps, as many as there are. The caller must close them even
// if there is an error.
func (d *Dataplane) generation() (generation, error) {
	var g generation
	slot, err := d.Active()
	if err != nil {
		return g, err
	}
	var errs []error
	for i := range g {
		if d.outer[i] == nil {
			err = ErrNoImage
		} else {
			g[i], err = d.inner(i, slot)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("map %s: %w", mapLayout(i).Name, err))
		}
	}
	return g, errors.Join(errs...)
}

// read reads a generation into the image that a compilation would make.
func (d *Dataplane) read(g *generation) (*image.Image, error) {
	rest, err := g.readRest()
	if err != nil {
		return nil, err
	}
	services, err := store.Read(d.storeMaps([layout.NumStoreMaps]*ebpf.Map(g[stored:])))
	if err != nil {
		return nil, fmt.Errorf("the maps of Services: %w", err)
	}
	return image.Assemble(services, rest)
}

// means reports whether a generation is what an image says. It makes no image of what it
// reads, which is most of the work of [Dataplane.read]; an error says that there is no image.
func (d *Dataplane) means(g *generation, want *image.Image) (bool, error) {
	if !g.sameRest(want) {
		return false, nil
	}
	same, reading := true, want.Reading()
	err := store.Walk(d.storeMaps([layout.NumStoreMaps]*ebpf.Map(g[stored:])), func(r *store.Record) bool {
		same = reading.Next(r.Key, r.Service, r.Pools, r.SourceRanges)
		return same
	})
	return err == nil && same && reading.Complete(), err
}

// readRest reads the entries of the maps that are not of Services; meta has the expected
// numbers of entries.
func (g *generation) readRest() (entries [layout.NumMaps][]byte, err error) {
	if entries[layout.Meta], err = transfers[0].read(g[0], 1); err != nil {
		return entries, fmt.Errorf("map meta: %w", err)
	}
	info := layout.DecodeInfo(entries[layout.Meta])
	err = each(1, stored, func(i int) (err error) {
		n := info.Count(restMaps[i])
		if got := g[i].MaxEntries(); got != max(1, n) {
			return fmt.Errorf("made for %d entries instead of %d", got, n)
		}
		entries[restMaps[i]], err = transfers[i].read(g[i], int(n))
		return err
	})
	return entries, err
}
