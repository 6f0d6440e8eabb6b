package live

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cilium/ebpf"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
)

// generation has the inner maps of one image.
type generation [layout.NumMaps]*ebpf.Map

func (g *generation) close() {
	for _, m := range g {
		if m != nil {
			m.Close()
		}
	}
}

// Load activates the image. When it returns nil, the image has been read back,
// compared and frozen, and no program uses the old image any more. If it fails
// before the flip, the old image remains active.
func (d *Dataplane) Load(img *image.Image) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.load(img); err != nil {
		return fmt.Errorf("loading the eBPF map image: %w", err)
	}
	return nil
}

func (d *Dataplane) load(img *image.Image) error {
	slot := uint32(0)
	if active, err := d.Active(); err == nil {
		slot = 1 - active
	} // another process set active to an unknown slot: use any slot
	var g generation
	// The descriptors stay open until the grace period after the flip ends,
	// because some kernels freed replaced inner maps while programs used them
	// (GHSA-wvjr-h8mr-f8gw).
	defer g.close()
	for _, s := range []struct {
		name string
		do   func() error
	}{
		{"create", func() error { return g.create(img) }},
		{"fill", func() error { return g.fill(img) }},
		{"compare", func() error { return g.compare(img) }},
		{"freeze", g.freeze},
		{"slot", func() error { return d.put(&g, slot) }},
		{"flip", func() error { d.flip(slot); return nil }},
		// Like [Dataplane.wait], but without another descriptor: a lack of
		// descriptors must not cause a failure after the flip.
		{"wait", func() error { return d.outer[layout.Meta].Put(slot, g[layout.Meta]) }},
	} {
		if err := d.step(s.name); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// each calls do for every map in parallel and names the maps that fail. Most of
// the time is spent waiting or in kernel memory, so goroutines pay off.
func each(do func(i int, l layout.Map) error) error {
	var wg sync.WaitGroup
	var errs [layout.NumMaps]error
	for i, l := range layout.Maps() {
		wg.Go(func() {
			if err := do(i, l); err != nil {
				errs[i] = fmt.Errorf("map %s: %w", l.Name, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs[:]...)
}

func (g *generation) create(img *image.Image) error {
	return each(func(i int, l layout.Map) (err error) {
		g[i], err = explained(ebpf.NewMap(innerSpec(l, img.Map(i).MaxEntries())))
		return err
	})
}

func (g *generation) fill(img *image.Image) error {
	return each(func(i int, _ layout.Map) error { return transfers[i].fill(g[i], img.Map(i)) })
}

// compare reads back every map before a program can use it.
func (g *generation) compare(img *image.Image) error {
	return each(func(i int, l layout.Map) error {
		want := img.Map(i)
		entries, err := transfers[i].read(g[i], want.Len())
		if err != nil {
			return err
		}
		if got := image.Sum(l, entries); got != want.Digest() {
			return fmt.Errorf("%w: the kernel has %x instead of %x", image.ErrDigest, got, want.Digest())
		}
		return nil
	})
}

func (g *generation) freeze() error {
	return each(func(i int, _ layout.Map) error { return explain(g[i].Freeze()) })
}

// put writes the maps into their slots. Each write waits for running programs; in
// parallel, they wait only once.
func (d *Dataplane) put(g *generation, slot uint32) error {
	return each(func(i int, _ layout.Map) error { return d.outer[i].Put(slot, g[i]) })
}
