// Package session keeps one node's kernel in line with the cluster's objects: it
// turns each change of objects into a delta of the program and then of the kernel.
//
// The first apply is whole and verified. Later updates are incremental: only the
// changed part is compiled, emitted and sent, without reading the kernel. What of that a changed
// policy costs depends on the backend ([backends.PolicyFollower]); it never costs the Services. A
// change that cannot be incremental applies the whole program, from the same objects.
//
// An object that the kernel refuses affects only itself: the session finds it, gives
// it up safely (ir/failsafe), applies everything else, and tries it again later.
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

// Session is not safe for concurrent use and works in its thread's network namespace.
type Session struct {
	// General reports whether an error is caused by the machine and not by an
	// object: a missing program or privilege, a held lock. Nil means never.
	General func(error) bool
	// Now is the clock for retries.
	Now func() time.Time

	objects *compiler.Incremental
	backend backends.Backend
	// policies writes what differs of policies; nil if the backend cannot.
	policies backends.PolicyChanges
	applier  *applier.Applier
	// held reports that the applier holds the state before the last change of objects.
	held bool
	// delta is the effect of the last change of objects.
	delta compiler.Delta
	// given are the objects that the kernel lacks, and left the details of each.
	given failsafe.Set
	left  map[failsafe.Object]*leftOut
	// suspects have the objects that changed since the kernel was last right.
	suspects suspects
	// foreseen are the objects that the backend gives up itself.
	foreseen foreseen
}

// New returns a session that has applied nothing yet.
func New(objects *compiler.Incremental, backend backends.Backend, a *applier.Applier) *Session {
	s := &Session{
		objects: objects, backend: backend, applier: a, Now: time.Now,
		left: make(map[failsafe.Object]*leftOut), foreseen: make(foreseen),
	}
	s.followPolicies()
	return s
}

// followPolicies begins to follow policies, with nothing that was made before.
func (s *Session) followPolicies() {
	if follows, ok := s.backend.(backends.PolicyFollower); ok {
		s.policies = follows.FollowPolicies()
	}
}

// Apply applies the whole program and verifies it.
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

// whole applies everything except a set.
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

// Update takes changes of objects and applies their effect.
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
		// After an error the objects are ahead of the kernel, so the next change is
		// applied as a whole.
		s.held = s.held && err == nil
		return plan, err
	}
	if err = s.isolate(ctx, attempt, set, err); err != nil {
		s.held = false
	}
	return plan, err
}

// attempt applies a change incrementally if the kernel's state allows it, and
// otherwise the whole program.
func (s *Session) attempt(ctx context.Context, d *compiler.Delta, base *ir.Program, set failsafe.Set) (applier.Plan, error) {
	if !s.held {
		return s.whole(ctx, set)
	}
	p, err := s.short(ctx, d, base, set)
	if errors.Is(err, applier.ErrDrift) {
		// Another program changed the rules, or the change is half done. Only a whole
		// apply reads the kernel.
		return s.whole(applier.Suspicious(ctx), set)
	}
	if err == nil {
		s.settle(set)
	}
	return p, err
}

// settle records that the kernel has everything except a set.
func (s *Session) settle(set failsafe.Set) {
	s.given = set
	for o := range s.left {
		if set[o] == 0 {
			delete(s.left, o)
		}
	}
	s.suspects = suspects{}
}

// Delta is the effect of the last Update on the program, whether or not the
// kernel took it. It is whole if objects were given up or served again.
func (s *Session) Delta() compiler.Delta { return s.delta }

// Program is the whole program of the objects, without those that are given up.
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

// replace applies everything except a set, without reading the kernel.
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
	if d.Policy && s.policies != nil {
		return s.changePolicies(ctx, have, failsafe.Program(d.After, set))
	}
	if d.Policy {
		if !s.applier.ChangesPolicies(s.backend.Name()) {
			return nil, applier.ErrWhole
		}
		// The held state has the old policy, so it need not be emitted again.
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

// changePolicies is change for a backend that writes what differs of policies.
func (s *Session) changePolicies(ctx context.Context, have, want *ir.Program) (applier.Plan, error) {
	was, is, err := isolate.Policies(s.backend, s.policies, have, want)
	if err != nil {
		s.followPolicies() // what it keeps may be half of something
		return nil, applier.ErrWhole
	}
	entry := func(a backends.Artifact) applier.Entry { return applier.Entry{Backend: s.backend.Name(), Artifact: a} }
	return s.applier.Change(ctx, entry(was), entry(is))
}

func (s *Session) emit(p *ir.Program) (applier.Entry, error) {
	// The program is large; it is released once it is emitted.
	a, err := isolate.Fragment(s.backend, p)
	return applier.Entry{Backend: s.backend.Name(), Artifact: a}, err
}

// noObjects reports whether an error cannot be the fault of objects.
func (s *Session) noObjects(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, context.Canceled) || s.General != nil && s.General(err)
}

// isolate applies as much as possible, and gives up the objects that cannot be
// applied in addition to the previous ones.
func (s *Session) isolate(ctx context.Context, attempt isolate.Attempt, before failsafe.Set, first error) error {
	all := failsafe.Of(s.objects.Program())
	hasty := func(ctx context.Context, set failsafe.Set) error { return attempt(applier.Hasty(ctx), set) }
	// The whole apply has failed after the incremental one, or twice. Try the cheap
	// incremental one once more.
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

// nothing is the plan of a change without effect.
type nothing struct{}

func (nothing) Empty() bool                 { return true }
func (nothing) Steps() []string             { return nil }
func (nothing) FromNothing() bool           { return false }
func (nothing) Apply(context.Context) error { return nil }
