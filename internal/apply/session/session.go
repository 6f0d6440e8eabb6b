// Package session keeps one node's kernel what the objects say, change by
// change: objects in, a delta of the program, elements in the kernel.
//
// The first apply is whole, and verified. After it a change of a Service goes
// the short way: only what the change concerns is compiled, emitted and sent. One of
// a policy costs what the node's policies cost, and nothing for its Services. Whatever the short way cannot do the long way does,
// from the same objects.
//
// An object that the kernel refuses costs itself only: it is found out, given up
// safely (ir/failsafe) and tried again later, and all else is applied.
package session

import (
	"context"
	"errors"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/isolate"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/failsafe"
)

// Session is for one goroutine, in the network namespace of its thread.
type Session struct {
	// General reports whether an error is the machine's, and no object's fault: a
	// missing program or privilege, a lock that others hold. Nil is never.
	General func(error) bool
	// Now is the clock that objects are tried again by.
	Now func() time.Time

	objects *compiler.Incremental
	backend backends.Backend
	applier *applier.Applier
	// held is whether the applier holds what the objects were before the last change.
	held bool
	// delta is what the last change of objects changed.
	delta compiler.Delta
	// given are the objects that the kernel is without, and left what is known of
	// each.
	given failsafe.Set
	left  map[failsafe.Object]*leftOut
	// suspects have changed since the kernel was right the last time.
	suspects failsafe.Set
	// foreseen are the objects that the backend gives up itself.
	foreseen foreseen
}

// New makes a session; nothing is applied yet.
func New(objects *compiler.Incremental, backend backends.Backend, a *applier.Applier) *Session {
	return &Session{
		objects: objects, backend: backend, applier: a, Now: time.Now,
		left: make(map[failsafe.Object]*leftOut), suspects: make(failsafe.Set), foreseen: make(foreseen),
	}
}

// Apply makes the kernel what the objects say, whole, and verifies it.
func (s *Session) Apply(ctx context.Context) (applier.Plan, error) {
	plan, err := s.whole(ctx, s.given)
	if err == nil || s.noObjects(ctx, err) {
		return plan, err
	}
	var first applier.Plan
	attempt := func(ctx context.Context, set failsafe.Set) (err error) {
		if plan, err = s.whole(ctx, set); err == nil && first == nil {
			first = plan
		}
		return err
	}
	return first, s.isolate(ctx, attempt, s.given, err)
}

// whole applies everything but what a set gives up.
func (s *Session) whole(ctx context.Context, set failsafe.Set) (applier.Plan, error) {
	program := s.objects.Program()
	s.foreseen.all(s.backend, program)
	e, err := s.emit(failsafe.Program(program, set))
	if err != nil {
		return nil, err
	}
	s.held = false
	p, err := s.applier.Apply(ctx, e)
	if err != nil {
		return p, err
	}
	if err := s.applier.Hold(e); err != nil {
		return p, err
	}
	s.held = true
	s.settle(set)
	return p, nil
}

// Update takes changes of objects and applies what they change.
func (s *Session) Update(ctx context.Context, u compiler.Update) (applier.Plan, error) {
	d := s.objects.Apply(u)
	s.delta = d
	given := s.given
	defer func() { s.served(given) }()
	s.suspect(&d)
	set := s.changed(&d)
	if !s.held {
		s.given = set
		return s.Apply(ctx)
	}
	if d.Empty() {
		return nothing{}, nil
	}
	s.foreseen.some(s.backend, &d)
	base := d.Before
	var plan applier.Plan
	attempt := func(ctx context.Context, set failsafe.Set) error {
		p, err := s.attempt(ctx, &d, base, set)
		if err == nil {
			base, plan = d.After, p
		}
		return err
	}
	err := attempt(ctx, set)
	if err == nil || s.noObjects(ctx, err) {
		// The objects are ahead of the kernel after an error: the next change goes
		// the long way.
		s.held = s.held && err == nil
		return plan, err
	}
	if err = s.isolate(ctx, attempt, set, err); err != nil {
		s.held = false
	}
	return plan, err
}

// attempt goes the short way from what the kernel has of a change, or the long way
// where something is in between.
func (s *Session) attempt(ctx context.Context, d *compiler.Delta, base *ir.Program, set failsafe.Set) (applier.Plan, error) {
	if !s.held {
		return s.whole(ctx, set)
	}
	p, err := s.short(ctx, d, base, set)
	if errors.Is(err, applier.ErrDrift) {
		// Another program changed the rules, or the change is half done: the long way
		// sees everything.
		return s.whole(applier.Suspicious(ctx), set)
	}
	if err == nil {
		s.settle(set)
	}
	return p, err
}

// settle notes that the kernel is right but for what a set gives up.
func (s *Session) settle(set failsafe.Set) {
	s.given = set
	for o := range s.left {
		if set[o] == 0 {
			delete(s.left, o)
		}
	}
	clear(s.suspects)
}

// Delta is how the last Update changed the program, whether or not it reached the
// kernel. It is whole where it gave objects up, or served some again.
func (s *Session) Delta() compiler.Delta { return s.delta }

// Program is the whole program that the objects make, without those that are given
// up.
func (s *Session) Program() *ir.Program { return failsafe.Program(s.objects.Program(), s.given) }

func (s *Session) short(ctx context.Context, d *compiler.Delta, base *ir.Program, set failsafe.Set) (applier.Plan, error) {
	if !d.Whole {
		p, err := s.change(ctx, d, base, set)
		if !errors.Is(err, applier.ErrWhole) {
			return p, err
		}
	}
	return s.replace(ctx, set)
}

// replace applies everything but what a set gives up, without a look at the kernel.
func (s *Session) replace(ctx context.Context, set failsafe.Set) (applier.Plan, error) {
	whole, err := s.emit(failsafe.Program(s.objects.Program(), set))
	if err != nil {
		return nil, err
	}
	return s.applier.Replace(ctx, whole)
}

func (s *Session) change(ctx context.Context, d *compiler.Delta, base *ir.Program, set failsafe.Set) (applier.Plan, error) {
	change := s.applier.Change
	have := failsafe.Program(base, s.given)
	if d.Policy {
		if !s.applier.ChangesPolicies(s.backend.Name()) {
			return nil, applier.ErrWhole
		}
		// What is held has the old policy: it need not be emitted again.
		without := *have
		change, without.Policy = s.applier.ChangePolicy, ir.Policy{}
		have = &without
	}
	before, err := s.emit(have)
	if err != nil {
		return nil, err
	}
	after, err := s.emit(failsafe.Program(d.After, set))
	if err != nil {
		return nil, err
	}
	return change(ctx, before, after)
}

func (s *Session) emit(p *ir.Program) (applier.Entry, error) {
	// The program is large and ends with what is made of it.
	a, err := isolate.Emit(s.backend, p)
	return applier.Entry{Backend: s.backend.Name(), Artifact: a}, err
}

// noObjects reports whether an error cannot be the fault of objects.
func (s *Session) noObjects(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, context.Canceled) || s.General != nil && s.General(err)
}

// isolate applies what can be applied, and gives up what cannot besides what was
// given up before.
func (s *Session) isolate(ctx context.Context, attempt isolate.Attempt, before failsafe.Set, first error) error {
	all := failsafe.Of(s.objects.Program())
	hasty := func(ctx context.Context, set failsafe.Set) error { return attempt(applier.Hasty(ctx), set) }
	// The long way has failed after the short one, or twice. The short way alone, which
	// is cheap, is gone once more.
	if s.held && hasty(ctx, before) == nil {
		return nil
	}
	set, err := isolate.Find(ctx, hasty, before, [][]failsafe.Object{s.likely(), all}, first)
	if err != nil {
		return err
	}
	s.giveUp(before, set, first)
	return nil
}

// nothing is the plan of a change that changes nothing.
type nothing struct{}

func (nothing) Empty() bool                 { return true }
func (nothing) Steps() []string             { return nil }
func (nothing) FromNothing() bool           { return false }
func (nothing) Apply(context.Context) error { return nil }
