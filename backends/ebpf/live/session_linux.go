package live

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/backends/ebpf/store"
)

// session is the maps, open between changes. Other processes may change them meanwhile, but
// not while a change is not settled: until then the session keeps the lock.
type session struct {
	*Dataplane
	// pin is the pin of active that the session has opened, and left the value that it left
	// in it: another one is that of another process.
	pin  uint64
	left uint64
	// unlock gives the lock back, or is nil; turn is the last change. settling says that the
	// lock is given back once that is settled.
	unlock   func()
	turn     int
	settling bool
}

// drop ends the session. It waits until its changes are settled.
func (p *Pins) drop() error {
	s := p.session
	if s == nil {
		return nil
	}
	p.session = nil
	err := s.Close()
	if s.unlock != nil {
		s.unlock()
	}
	return err
}

// Close gives back what the Pins keep open between changes. They can be used again.
func (p *Pins) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.drop()
}

// applyHeld carries out a plan of held state.
func (p *Pins) applyHeld(ctx context.Context, plan *Plan) error {
	s, err := p.open(ctx)
	if err != nil {
		return errors.Join(err, p.drop())
	}
	if plan.want != nil {
		err = s.loadImage(plan.want, false)
	} else {
		err = s.change(plan.changes, plan.rest)
	}
	if err != nil {
		return errors.Join(err, p.drop())
	}
	s.left = s.services.Active()
	if s.turn++; !s.settling {
		s.settling = true
		go p.settle(s, s.services, s.turn)
	}
	return nil
}

// settle gives the lock back once nothing is left to be done of the last change.
func (p *Pins) settle(s *session, services *services, turn int) {
	for {
		_ = services.Settle() // the next change has its error
		p.mu.Lock()
		if s.turn == turn || p.session != s {
			break
		}
		services, turn = s.services, s.turn
		p.mu.Unlock()
	}
	defer p.mu.Unlock()
	s.settling = false
	if p.session == s && s.unlock != nil {
		s.unlock()
		s.unlock = nil
	}
}

// open opens the session or goes on with it, with the lock.
func (p *Pins) open(ctx context.Context) (*session, error) {
	s := p.session
	if s == nil || s.unlock == nil {
		unlock, err := p.lock(ctx, unix.LOCK_EX)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: there is no %s", ErrDrift, p.Dir)
		} else if err != nil {
			return nil, fmt.Errorf("locking %s: %w", p.Dir, err)
		}
		if s == nil {
			return p.begin(unlock)
		}
		s.unlock = unlock
	}
	if pin, err := activePin(p.Dir); err != nil || pin != s.pin || s.services.Active() != s.left {
		return nil, ErrDrift
	}
	return s, nil
}

// begin opens the maps that are pinned, which must have an image.
func (p *Pins) begin(unlock func()) (*session, error) {
	s := &session{unlock: unlock}
	p.session = s
	var err error
	if s.Dataplane, err = Open(p.Dir); err != nil {
		s.Dataplane = &Dataplane{}
		return nil, err
	}
	if s.pin, err = activePin(p.Dir); err != nil || s.pinTo != "" {
		return nil, errors.Join(ErrDrift, err)
	}
	g, err := s.generation()
	defer g.close()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDrift, err)
	}
	if s.services, err = s.openServices(&g); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDrift, err)
	}
	return s, nil
}

// activePin is the number of the pin of active: another pin has another one.
func activePin(dir string) (uint64, error) {
	var st unix.Stat_t
	if err := unix.Lstat(filepath.Join(dir, activeSpec().Name), &st); err != nil {
		return 0, &os.PathError{Op: "lstat", Path: dir, Err: err}
	}
	return st.Ino, nil
}

// change commits changes of Services, with the rest of an image unless it is nil. What they
// are changes of must be there.
func (d *Dataplane) change(list []change, rest *image.Image) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	changes := make([]store.Change, len(list))
	for i, c := range list {
		if !d.services.Means(c.key, c.before) {
			return fmt.Errorf("%w: a Service of the change is another one there", ErrDrift)
		}
		changes[i] = store.Change{Key: c.key, Service: c.after}
	}
	var err error
	if rest == nil {
		err = d.services.Commit(changes)
	} else {
		l := &load{Dataplane: d, image: rest, changes: changes, only: true}
		l.look()
		if err = ErrDrift; !l.fresh {
			err = l.run()
		}
		l.close()
	}
	if !errors.Is(err, store.ErrFull) {
		return err
	}
	img, err := d.changed(list, rest)
	if err != nil {
		return err
	}
	l := &load{Dataplane: d, image: img}
	defer l.close()
	l.look()
	l.fresh = true
	return l.run()
}

// changed returns the image that there would be after the changes.
func (d *Dataplane) changed(list []change, rest *image.Image) (*image.Image, error) {
	maps, err := d.restOf(rest)
	if err != nil {
		return nil, err
	}
	entries, err := d.services.Entries()
	if err != nil {
		return nil, err
	}
	since := make(map[layout.ServiceKey]*layout.Content, len(list))
	for _, c := range list {
		since[c.key] = c.after
	}
	return image.Assemble(overlay(entries, since), maps)
}

// restOf returns the maps of an image that are not of Services, or those that are active.
func (d *Dataplane) restOf(img *image.Image) (maps [layout.NumMaps][]byte, err error) {
	if img == nil {
		g, err := d.generation()
		defer g.close()
		if err != nil {
			return maps, err
		}
		return g.readRest()
	}
	for _, i := range restMaps {
		maps[i] = img.Map(i).Entries()
	}
	return maps, nil
}
