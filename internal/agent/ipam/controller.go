package ipam

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	pools "github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/inbox"
)

// Observer sees what a controller does; calls are sequential.
type Observer interface {
	// Allocated is called after each look at all objects.
	Allocated(*pools.Result)
	// Wrote is called after each write of a status, with its error.
	Wrote(error)
	// Leads is called when this agent begins to write, and when it ends.
	Leads(bool)
}

// Writer changes the status of one Service.
type Writer interface {
	// Write replaces what is planec's in the status. It returns the Service as it is now, or
	// [ErrChanged].
	Write(context.Context, *corev1.Service, *pools.Assignment) (*corev1.Service, error)
}

// ErrChanged means that a Service is not what it was when its addresses were chosen.
var ErrChanged = errors.New("the Service has changed meanwhile")

// Controller allocates while it leads.
type Controller struct {
	// Classes are the loadBalancerClasses that are served: see [pools.Settings].
	Classes []string
	// Open makes a source of Services, namespaces and pools, and what writes to where it reads
	// from, for each time that it leads.
	Open func() (inbox.Source, Writer, error)
	// Holds returns an error once the Lease may have been given to another agent.
	Holds    func() error
	Observer Observer
	Log      *slog.Logger
	// Again is when writes that failed are tried again; 0 is 2 seconds.
	Again time.Duration
}

// settle is how long changes are collected: a rollout changes many Services at once.
const settle = 200 * time.Millisecond

// atOnce is how many statuses are written before changes are looked at again.
const atOnce = 100

// Lead allocates until ctx ends.
func (c *Controller) Lead(ctx context.Context) error {
	source, writer, err := c.Open()
	if err != nil {
		return err
	}
	c.Observer.Leads(true)
	defer c.Observer.Leads(false)
	in := inbox.Follow(ctx, source)
	defer in.Stop()
	s := newState(writer)
	var again <-chan time.Time
	for {
		retry := false
		select {
		case <-ctx.Done():
			return nil
		case <-in.Ended():
			return in.Err()
		case <-again:
			again, retry = nil, true
		case <-in.Wake():
			if !pause(ctx, settle) {
				return nil
			}
		}
		batch, listed := in.Take()
		if !listed {
			continue
		}
		if !s.update(&batch) && !retry {
			continue // what is left waits for its time
		}
		again = nil
		s.look(c)
		more, failed := c.write(ctx, s)
		if wait := s.wait(c.Again, failed); more || failed {
			again = time.After(wait)
		}
	}
}

// longest is the longest time between two tries.
const longest = time.Minute

// wait returns when to go on: at once if nothing failed, and else twice as late as the last time.
func (s *state) wait(first time.Duration, failed bool) time.Duration {
	switch {
	case !failed:
		s.delay = 0
	case s.delay == 0 && first > 0:
		s.delay = first
	case s.delay == 0:
		s.delay = 2 * time.Second
	default:
		s.delay = min(2*s.delay, longest)
	}
	return s.delay
}

// pause waits, and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// state is what a leading controller knows.
type state struct {
	services map[objects.Name]objects.Sourced[*corev1.Service]
	others   objects.Set
	// held are the addresses that this controller wrote, with the UIDs of their Services.
	held map[objects.Name]written
	// unwritten are Services whose status is to be written.
	unwritten []objects.Name
	result    pools.Result
	delay     time.Duration
	writer    Writer
}

type written struct {
	uid   types.UID
	addrs []netip.Addr
}

func newState(w Writer) *state {
	return &state{writer: w, services: make(map[objects.Name]objects.Sourced[*corev1.Service]), held: make(map[objects.Name]written)}
}

// update takes changes, and reports whether there are any.
func (s *state) update(b *inbox.Batch) (changed bool) {
	for _, u := range b.Update.Services {
		_, had := s.services[u.Name]
		if u.Service.Object == nil {
			delete(s.services, u.Name)
			delete(s.held, u.Name)
			changed = changed || had
			continue
		}
		s.services[u.Name] = u.Service
		changed = true
	}
	if b.Update.Others != nil {
		s.others, changed = *b.Update.Others, true
	}
	return changed
}

// look allocates for all Services and lists those whose status differs.
func (s *state) look(c *Controller) {
	set := s.others
	set.Services = make([]objects.Sourced[*corev1.Service], 0, len(s.services))
	for _, o := range s.services {
		set.Services = append(set.Services, o)
	}
	held := make(map[objects.Name][]netip.Addr, len(s.held))
	for name, w := range s.held {
		if w.uid == s.services[name].Object.UID {
			held[name] = w.addrs
		}
	}
	s.result = pools.Allocate(&set, pools.Settings{Classes: c.Classes, Held: held})
	c.Observer.Allocated(&s.result)
	s.unwritten = s.unwritten[:0]
	for i := range s.result.Services {
		a := &s.result.Services[i]
		if differs(s.services[a.Service].Object, a) {
			s.unwritten = append(s.unwritten, a.Service)
		}
	}
}

// write writes statuses that differ: all, or the first ones if there are many. It reports whether
// more are left, and whether any failed.
func (c *Controller) write(ctx context.Context, s *state) (more, failed bool) {
	done := 0
	for _, name := range s.unwritten {
		if done == atOnce {
			return true, failed
		}
		if err := c.Holds(); err != nil {
			c.Log.Warn("the lease is in doubt: no address is written", "error", err)
			return true, true
		}
		o, a := s.services[name].Object, s.result.Of(name)
		now, err := s.writer.Write(ctx, o, a)
		if ctx.Err() != nil {
			return false, false
		}
		c.Observer.Wrote(err)
		if err != nil {
			failed = true
			if !errors.Is(err, ErrChanged) { // its change comes by itself
				c.Log.Warn("writing the addresses of a Service", "service", name.String(), "error", err)
			}
			continue
		}
		done++
		c.Log.Info("wrote the addresses of a Service", "service", name.String(), "addresses", fmt.Sprint(a.Addrs()), "lost", lostText(a))
		s.held[name] = written{o.UID, a.Addrs()}
		s.services[name] = objects.Sourced[*corev1.Service]{Object: now}
	}
	s.unwritten = nil
	return false, failed
}

func lostText(a *pools.Assignment) string {
	text := ""
	for _, l := range a.Lost {
		if text != "" {
			text += "; "
		}
		text += l.Addr.String() + ": " + l.Why
	}
	return text
}
