package live

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/cilium/ebpf"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/backends/ebpf/store"
)

// generation has the maps of a slot.
type generation [numMaps]*ebpf.Map

func (g *generation) close() {
	for _, m := range g {
		if m != nil {
			m.Close()
		}
	}
}

// Load activates the image. When it returns nil, the image has been read back and
// compared, and no program uses what was before any more. If it fails before the flip, what
// was active remains.
func (d *Dataplane) Load(img *image.Image) error { return d.loadImage(img, true) }

// loadImage is Load; it reads Services back that changed in their maps only if it is told to.
func (d *Dataplane) loadImage(img *image.Image, readBack bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := &load{Dataplane: d, image: img, reads: readBack}
	// The descriptors stay open until the grace period after the flip ends,
	// because some kernels freed replaced inner maps while programs used them
	// (GHSA-wvjr-h8mr-f8gw).
	defer l.close()
	l.look()
	err := l.run()
	if errors.Is(err, store.ErrFull) && !l.fresh {
		l.fresh = true
		err = l.run()
	}
	if err != nil {
		return fmt.Errorf("loading the eBPF map image: %w", err)
	}
	return nil
}

// load is a load on its way. Services change in the maps that they are in, if these are
// right and have room, and the rest in new maps, if it changes at all; then both are
// committed by one store of active.
type load struct {
	*Dataplane
	image *image.Image
	// changes are all that changes of Services, if only is set; the image is otherwise what all
	// Services are to be.
	changes []store.Change
	only    bool
	have    generation
	// active is the active slot, and slot the one that the image gets: another one, unless
	// nothing but Services changes, in the maps that they are in.
	active, slot uint32
	// stays says that the maps of the rest stay, fresh that Services need new maps.
	stays, fresh bool
	// made are new maps of the rest, which are ready once they are frozen; next are new maps
	// of Services.
	made  *generation
	ready bool
	next  *services
	// reads says that Services are read back that changed in their maps.
	reads bool
}

func (l *load) close() {
	l.have.close()
	if l.made != nil {
		l.made.close()
	}
	if l.next != nil {
		l.next.close()
	}
}

// look finds out what of the active maps can stay.
func (l *load) look() {
	active, err := l.Active()
	if err != nil {
		active = 0 // another process set it to an unknown slot: use any
	}
	l.active = active
	var missing error
	l.have, missing = l.generation()
	if l.reads && l.services != nil { // another process may have replaced the maps
		_ = l.services.close()
		l.services = nil
	}
	if l.services == nil && err == nil {
		if s, err := l.openServices(&l.have); err == nil {
			l.services = s
		}
	}
	l.fresh = l.services == nil
	l.stays = err == nil && missing == nil && l.have.hasRest(l.image)
}

// run carries out the steps of a load. Which of them have something to do depends on what
// stays.
func (l *load) run() error {
	if l.slot = 1 - l.active; l.stays && !l.fresh {
		l.slot = l.active
	}
	for _, s := range []struct {
		name string
		do   func() error
	}{
		{"create", l.create},
		{"fill", l.fill},
		{"compare", l.compare},
		{"freeze", l.freeze},
		{"slot", l.put},
		{"flip", l.flip},
		{"wait", l.settle},
		{"read", l.readBack},
		{"pin", l.pin},
	} {
		if err := l.step(s.name); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func (l *load) create() (err error) {
	if !l.stays && l.made == nil {
		l.made = &generation{}
		err = each(0, stored, func(i int) (err error) {
			l.made[i], err = explained(ebpf.NewMap(innerSpec(mapLayout(i), l.image.Map(restMaps[i]).MaxEntries())))
			return err
		})
	}
	if err == nil && l.fresh {
		l.next, err = l.createServices(l.image)
	}
	return err
}

func (l *load) fill() (err error) {
	if l.made != nil && !l.ready {
		err = each(0, stored, func(i int) error { return transfers[i].fill(l.made[i], l.image) })
	}
	if err == nil && l.next != nil {
		err = l.next.Fill(whole(l.image))
	}
	return err
}

// compare reads back every new map before a program can use it.
func (l *load) compare() error {
	if l.made != nil && !l.made.sameRest(l.image) {
		return fmt.Errorf("%w: the maps are not what was written", image.ErrDigest)
	}
	if l.next == nil {
		return nil
	}
	return l.sameServices(l.next)
}

func (l *load) freeze() error {
	if l.made == nil || l.ready {
		return nil
	}
	l.ready = true
	return each(0, stored, func(i int) error { return explain(l.made[i].Freeze()) })
}

// put writes the maps of the image into its slot: those that are new, and those that stay.
func (l *load) put() error {
	if l.slot == l.active {
		return nil
	}
	next := l.have
	if l.made != nil {
		copy(next[:stored], l.made[:stored])
	}
	if l.next != nil {
		copy(next[stored:], l.next.maps[:])
	}
	return l.putInto(&next, l.slot)
}

// putInto writes maps into a slot where it has others. Each write waits for running programs;
// in parallel, they wait only once.
func (d *Dataplane) putInto(g *generation, slot uint32) error {
	return each(0, numMaps, func(i int) error {
		info, err := g[i].Info()
		if err != nil {
			return err
		}
		id, _ := info.ID()
		var have uint32
		if err := d.outer[i].Lookup(slot, &have); err == nil && ebpf.MapID(have) == id {
			return nil
		}
		return d.outer[i].Put(slot, g[i])
	})
}

// flip commits: one store of active makes programs use the slot, and the Services as they
// are to be.
func (l *load) flip() error {
	if l.next == nil {
		if !l.only {
			l.changes = l.services.Diff(l.image.Entries())
		}
		return l.services.Switch(l.changes, uint8(l.slot))
	}
	if err := l.next.Switch(nil, uint8(l.slot)); err != nil {
		return err
	}
	l.services, l.next = l.next, l.services // the former ones are closed in the end
	return nil
}

// settle waits until no program uses what was before. New maps of Services then get into the
// other slot too: both have the same, so that a change of slots changes none.
func (l *load) settle() error {
	err := l.services.Settle()
	if err != nil || !l.fresh {
		return err
	}
	return each(stored, numMaps, func(i int) error { return l.outer[i].Put(1-l.slot, l.services.maps[i-stored]) })
}

// readBack compares Services that changed in their maps with the image; what is in new maps
// was compared before.
func (l *load) readBack() error {
	if l.fresh || !l.reads {
		return nil
	}
	return l.sameServices(l.services)
}

// sameServices reads maps of Services and compares them with those of the image.
func (l *load) sameServices(s *services) error {
	reading := l.image.Reading()
	var other *layout.ServiceKey
	err := s.Walk(func(r *store.Record) bool {
		if !reading.Next(r.Key, r.Service, r.Pools, r.SourceRanges) {
			other = &r.Key
		}
		return other == nil
	})
	switch {
	case err != nil:
		return err
	case other != nil:
		return fmt.Errorf("%w: the entry %v of svc is another one", image.ErrDigest, *other)
	case !reading.Complete():
		return fmt.Errorf("%w: entries of svc are missing", image.ErrDigest)
	}
	return nil
}

// hasRest reports whether a generation has the maps of an image that are not of Services,
// and no process can change them.
func (g *generation) hasRest(img *image.Image) bool {
	for i := range stored {
		if g[i] == nil {
			return false
		}
		if info, err := g[i].Info(); err != nil || !info.Frozen() {
			return false
		}
	}
	return g.sameRest(img)
}

// sameRest reads the maps that are not of Services and compares them with an image.
func (g *generation) sameRest(img *image.Image) bool {
	entries, err := g.readRest()
	if err != nil {
		return false
	}
	info := img.Rest()
	for i, index := range restMaps {
		if index == layout.Meta {
			if !bytes.Equal(entries[index], info.Append(nil)) {
				return false
			}
		} else if image.Sum(mapLayout(i), entries[index]) != img.Map(index).Digest() {
			return false
		}
	}
	return true
}

// each calls do for some of the maps in parallel and names those that fail. Most of the time
// is spent waiting or in kernel memory, so goroutines pay off.
func each(from, to int, do func(i int) error) error {
	var wg sync.WaitGroup
	var errs [numMaps]error
	for i := from; i < to; i++ {
		wg.Go(func() {
			if err := do(i); err != nil {
				errs[i] = fmt.Errorf("map %s: %w", mapLayout(i).Name, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs[:]...)
}
