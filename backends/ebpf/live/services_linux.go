package live

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/backends/ebpf/store"
)

// services is a set of maps of Services that is open for writing.
type services struct {
	*store.Store
	maps [layout.NumStoreMaps]*ebpf.Map
}

func (s *services) close() error {
	var errs []error
	if s.Store != nil {
		errs = append(errs, s.Store.Close())
	}
	for _, m := range s.maps {
		if m != nil {
			errs = append(errs, m.Close())
		}
	}
	return errors.Join(errs...)
}

// room is how many entries a map of Services has that needs n: Services come and change
// without another set of maps.
func room(n int) uint32 { return uint32(n + max(n/4, 1024)) }

// createServices makes a set of maps with room for an image.
func (d *Dataplane) createServices(img *image.Image) (*services, error) {
	keys := room(img.Map(layout.Services).Len())
	sizes := [layout.NumStoreMaps]uint32{
		layout.Keys: keys, layout.Words: keys, layout.Records: keys,
		layout.Places:        room(img.Map(layout.Endpoints).Len()),
		layout.StoredSources: room(img.Map(layout.Sources).Len()),
	}
	s := &services{}
	for i, l := range layout.StoreMaps() {
		var err error
		if s.maps[i], err = explained(ebpf.NewMap(innerSpec(l, sizes[i]))); err != nil {
			return nil, errors.Join(fmt.Errorf("map %s: %w", l.Name, err), s.close())
		}
	}
	return s.open(d, store.Create)
}

// openServices opens the maps of a generation for writing.
func (d *Dataplane) openServices(g *generation) (*services, error) {
	s := &services{}
	for i := range s.maps {
		m := g[stored+i]
		if m == nil {
			return nil, errors.Join(ErrNoImage, s.close())
		}
		var err error
		if s.maps[i], err = m.Clone(); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s.open(d, store.Open)
}

func (s *services) open(d *Dataplane, open func(*store.Maps) (*store.Store, error)) (*services, error) {
	var err error
	if s.Store, err = open(d.storeMaps(s.maps)); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (d *Dataplane) storeMaps(maps [layout.NumStoreMaps]*ebpf.Map) *store.Maps {
	return &store.Maps{Active: d.active, Stored: maps, Wait: d.wait}
}

// whole is what an image has of Services, for maps that are empty.
func whole(img *image.Image) store.Whole {
	return store.Whole{
		Services:  img.Map(layout.Services).Entries(),
		Endpoints: img.Map(layout.Endpoints).Entries(),
		Sources:   img.Map(layout.Sources).Entries(),
	}
}
