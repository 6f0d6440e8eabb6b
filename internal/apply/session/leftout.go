package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/failsafe"
)

// A given-up object is tried again after doubtWait, because its failure may have been
// temporary, then after firstWait, then after twice as long each time, at most mostWait.
// A changed object is tried at once, unless it was tried within a tenth of its wait: a
// bad object that keeps changing must not keep the node busy.
const (
	doubtWait = time.Second
	firstWait = 10 * time.Second
	mostWait  = 30 * time.Minute
)

// soonest is the earliest time of a retry because the object changed.
func (l *leftOut) soonest() time.Time { return l.tried.Add(l.wait / 10) }

// leftOut is an object that the kernel refuses.
type leftOut struct {
	// why is the kernel's message.
	why    string
	origin ir.Origin
	// tried is the time of the last attempt, again that of the next.
	tried, again time.Time
	wait         time.Duration
}

func (l *leftOut) failed(now time.Time) {
	switch l.wait {
	case 0:
		l.wait = doubtWait
	default:
		l.wait = min(max(2*l.wait, firstWait), mostWait)
	}
	l.tried, l.again = now, now.Add(l.wait)
}

// suspect records the objects that may be at fault if the kernel refuses a change.
func (s *Session) suspect(d *compiler.Delta) {
	if !d.Whole {
		s.suspects.fold()
		s.suspects.last = d.After
	}
}

// suspects are objects that may be at fault, those of the last change as its fragment: it is
// asked for them only if the kernel refuses the change.
type suspects struct {
	before failsafe.Set
	last   *ir.Program
}

// fold adds the objects of the last change to those before.
func (s *suspects) fold() failsafe.Set {
	if s.last != nil {
		if s.before == nil {
			s.before = make(failsafe.Set)
		}
		for _, o := range failsafe.Of(s.last) {
			s.before.Add(o, failsafe.Refused)
		}
		s.last = nil
	}
	return s.before
}

// likely returns the suspects, with those of the last change last: the search restores
// objects from the front, and those that were served before are most probably
// harmless.
func (s *Session) likely() []failsafe.Object {
	list := s.suspects.fold().Sorted()
	if s.delta.Whole || s.delta.Before == nil {
		return list
	}
	there := make(failsafe.Set)
	for _, o := range failsafe.Of(s.delta.Before) {
		there.Add(o, failsafe.Refused)
	}
	slices.SortStableFunc(list, func(a, b failsafe.Object) int { return int(there[b]) - int(there[a]) })
	return list
}

// changed returns the set without objects that are gone or that the change
// affects, so that they are tried again.
func (s *Session) changed(d *compiler.Delta) failsafe.Set {
	if len(s.given) == 0 || d.Whole {
		return s.given
	}
	set := s.given.With(nil)
	now := s.Now()
	is := make(failsafe.Set)
	for _, o := range failsafe.Of(d.After) {
		is.Add(o, failsafe.Refused)
	}
	for _, o := range failsafe.Of(d.Before) {
		l := s.left[o]
		switch {
		case set[o] == 0 || l == nil:
		case is[o] == 0:
			delete(set, o)
			delete(s.left, o)
		case o.Kind != failsafe.Service && same(&d.Before.Policy, &d.After.Policy, o):
		case !now.Before(l.soonest()):
			delete(set, o)
		case l.soonest().Before(l.again):
			l.again = l.soonest()
		}
	}
	return set
}

// served adjusts the last delta to what is served, after an update that began with
// given-up objects.
func (s *Session) served(before failsafe.Set) {
	switch {
	case s.delta.Whole || len(before)+len(s.given) == 0:
	case maps.Equal(before, s.given):
		s.delta.Before, s.delta.After = failsafe.Program(s.delta.Before, before), failsafe.Program(s.delta.After, before)
	default:
		s.delta = compiler.Delta{Whole: true}
	}
}

// same reports whether two programs have the same rules of a policy.
func same(a, b *ir.Policy, o failsafe.Object) bool { return rules(a, o) == rules(b, o) }

func rules(p *ir.Policy, o failsafe.Object) string {
	var b strings.Builder
	for i := range p.Profiles {
		for _, d := range ir.Directions() {
			for _, t := range p.Profiles[i].Tiers(d) {
				for j := range t.Rules {
					if r := &t.Rules[j]; failsafe.PolicyOf(r.Origin) == o {
						fmt.Fprintln(&b, p.Profiles[i].ID, d, t.Title(), ruleText(r))
					}
				}
			}
		}
	}
	return b.String()
}

// ruleText is everything that a rule says to the kernel.
func ruleText(r *ir.Rule) string {
	return fmt.Sprintf("%v %v %q %q %v %v %v %v %v %q", r.Action, r.AnyPeer, r.Peers, r.NotPeers,
		r.AnyPort, r.Ports, r.NotPorts, r.SourcePorts, r.OwnNode, r.Prefix)
}

// giveUp records the given-up objects; those that are not in first were tried now.
func (s *Session) giveUp(first, set failsafe.Set, why error) {
	now := s.Now()
	origins := failsafe.Origins(s.objects.Program())
	for o := range set {
		l := s.left[o]
		if l == nil {
			l = &leftOut{}
			s.left[o] = l
		}
		if first[o] == 0 {
			l.why, l.origin = why.Error(), origins[o]
			l.failed(now)
		}
	}
	s.settle(set)
}

// Next returns when given-up objects are to be tried again; the zero time means
// never.
func (s *Session) Next() (next time.Time) {
	for _, l := range s.left {
		if next.IsZero() || l.again.Before(next) {
			next = l.again
		}
	}
	return next
}

// Retry tries the given-up objects whose time has come, and reports whether any
// of them is served now. It changes nothing else.
func (s *Session) Retry(ctx context.Context) (bool, error) {
	now := s.Now()
	better := false
	for _, o := range s.given.Sorted() {
		l := s.left[o]
		if l == nil || now.Before(l.again) {
			continue
		}
		before := s.given
		set := before.With(nil)
		delete(set, o)
		err := s.again(applier.Hasty(ctx), set)
		if err == nil {
			better = true
			continue
		}
		if l.failed(now); !s.noObjects(ctx, err) {
			l.why = err.Error()
		}
		if !s.held {
			// The attempt may have left a part: restore the previous state.
			if _, err := s.whole(ctx, before); err != nil {
				return better, err
			}
		}
	}
	return better, nil
}

// again applies everything except a set, incrementally if possible.
func (s *Session) again(ctx context.Context, set failsafe.Set) error {
	if s.held {
		_, err := s.replace(ctx, set)
		if err == nil {
			s.settle(set)
			return nil
		}
		if !errors.Is(err, applier.ErrDrift) {
			return err
		}
	}
	_, err := s.whole(ctx, set)
	return err
}

// Findings reports the given-up objects: those that the backend cannot
// express, and those that the kernel refuses, with its message.
func (s *Session) Findings() diag.List {
	var out diag.List
	for _, l := range s.left {
		out.Add(diag.KernelRefused, l.origin, l.why)
	}
	for _, list := range s.foreseen {
		out = append(out, list...)
	}
	out.Sort()
	return out
}

// GivenUp returns the number of given-up objects.
func (s *Session) GivenUp() int {
	n := len(s.left)
	for o := range s.foreseen {
		if s.left[o] == nil {
			n++
		}
	}
	return n
}

// foreseen holds the findings of a backend's Check about objects that it gives up.
type foreseen map[failsafe.Object]diag.List

// all checks a whole program.
func (f foreseen) all(b backends.Backend, p *ir.Program) {
	clear(f)
	f.add(b, p)
}

// some checks the objects of a change.
func (f foreseen) some(b backends.Backend, d *compiler.Delta) {
	if d.Whole {
		return
	}
	for _, p := range []*ir.Program{d.Before, d.After} {
		if len(f) == 0 {
			break
		}
		for _, o := range failsafe.Of(p) {
			delete(f, o)
		}
	}
	f.add(b, d.After)
}

func (f foreseen) add(b backends.Backend, p *ir.Program) {
	for _, d := range backends.Check(b, p) {
		if o := failsafe.PolicyOf(d.Origin); d.Code == diag.NotExpressible && !slices.Contains(f[o], d) {
			f[o] = append(f[o], d)
		}
	}
}
