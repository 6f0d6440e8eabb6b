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
	"github.com/planec/planec/ir/diag"
)

// Source delivers objects until its context ends.
type Source interface {
	Run(context.Context, *inbox.Inbox) error
}

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
	// Source makes a source of Services, namespaces and pools, for each time that it leads.
	Source func() (Source, error)
	Writer Writer
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
	source, err := c.Source()
	if err != nil {
		return err
	}
	c.Observer.Leads(true)
	defer c.Observer.Leads(false)
	ctx, stop := context.WithCancel(ctx)
	in := inbox.New()
	ended := make(chan error, 1)
	go func() { ended <- source.Run(ctx, in) }()
	defer func() {
		stop()
		<-ended
	}()
	s := newState()
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			ended <- err
			return err
		case <-again:
			again = nil
		case <-in.Wake():
			if !pause(ctx, settle) {
				return nil
			}
		}
		batch, listed := in.Take()
		if !listed {
			continue
		}
		changed := s.update(&batch)
		if !changed && len(s.unwritten) == 0 {
			continue
		}
		if s.look(c, changed); !c.write(ctx, s) && again == nil {
			again = time.After(c.again())
		}
	}
}

func (c *Controller) again() time.Duration {
	if c.Again > 0 {
		return c.Again
	}
	return 2 * time.Second
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
}

type written struct {
	uid   types.UID
	addrs []netip.Addr
}

func newState() *state {
	return &state{services: make(map[objects.Name]objects.Sourced[*corev1.Service]), held: make(map[objects.Name]written)}
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

// look allocates for all Services, if anything changed since the last time, and lists those
// whose status differs.
func (s *state) look(c *Controller, changed bool) {
	if !changed && len(s.unwritten) > 0 {
		// A failed write may have been about an old version; the new one came as a change.
		changed = true
	}
	set := s.others
	set.Services = make([]objects.Sourced[*corev1.Service], 0, len(s.services))
	for _, o := range s.services {
		set.Services = append(set.Services, o)
	}
	set.Deduplicate(new(diag.List))
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

// write writes some of the statuses that differ, and reports whether none is left.
func (c *Controller) write(ctx context.Context, s *state) bool {
	failed := 0
	for n, name := range s.unwritten {
		if n == atOnce {
			s.unwritten = s.unwritten[n-failed:]
			return false
		}
		if err := c.Holds(); err != nil {
			c.Log.Warn("the lease is in doubt: no address is written", "error", err)
			return false
		}
		o := s.services[name]
		a := s.result.Of(name)
		now, err := c.Writer.Write(ctx, o.Object, a)
		if ctx.Err() != nil {
			return true
		}
		c.Observer.Wrote(err)
		if err != nil {
			failed++
			if !errors.Is(err, ErrChanged) {
				c.Log.Warn("writing the addresses of a Service", "service", name.String(), "error", err)
			}
			continue
		}
		c.Log.Info("wrote the addresses of a Service", "service", name.String(), "addresses", fmt.Sprint(a.Addrs()), "lost", lostText(a))
		s.held[name] = written{o.Object.UID, a.Addrs()}
		s.services[name] = objects.Sourced[*corev1.Service]{Object: now}
	}
	if failed == 0 {
		s.unwritten = nil
	}
	return failed == 0
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
