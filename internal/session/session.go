// Package session keeps one node's kernel what the objects say, change by
// change: objects in, a delta of the program, elements in the kernel.
//
// The first apply is whole, and verified. After it a change of a Service goes
// the short way where the dataplane has one: only what the change concerns is
// compiled, emitted and sent. One of a policy costs what the node's policies
// cost, and nothing for its Services. Whatever the short way cannot do the long way does,
// from the same objects.
package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/applier"
	"github.com/planec/planec/ir"
)

// Session is for one goroutine, in the network namespace of its thread.
type Session struct {
	objects *compiler.Incremental
	backend backends.Backend
	applier *applier.Applier
	// changer is the dataplane's short way; nil where it has none.
	changer applier.Changer
	held    bool
	// delta is what the last change of objects changed.
	delta compiler.Delta
}

// New makes a session; nothing is applied yet.
func New(objects *compiler.Incremental, backend backends.Backend, a *applier.Applier) *Session {
	s := &Session{objects: objects, backend: backend, applier: a}
	s.changer, _ = a.Dataplane(backend.Name()).(applier.Changer)
	return s
}

// Apply makes the kernel what the objects say, whole, and verifies it.
func (s *Session) Apply(ctx context.Context) (applier.Plan, error) {
	e, err := s.emit(s.objects.Program())
	if err != nil {
		return nil, err
	}
	s.held = false
	p, err := s.applier.Apply(ctx, e)
	if err != nil || s.changer == nil {
		return p, err
	}
	if err := s.changer.Hold(e.Artifact); err != nil {
		return p, fmt.Errorf("backend %s: %w", e.Backend, err)
	}
	s.held = true
	return p, nil
}

// Update takes changes of objects and applies what they change.
func (s *Session) Update(ctx context.Context, u compiler.Update) (applier.Plan, error) {
	d := s.objects.Apply(u)
	s.delta = d
	if s.changer == nil || !s.held {
		return s.Apply(ctx)
	}
	if d.Empty() {
		return nothing{}, nil
	}
	p, err := s.short(ctx, &d)
	if errors.Is(err, applier.ErrDrift) {
		// Somebody changed what is ours: the long way sees everything.
		return s.Apply(ctx)
	}
	if err != nil {
		// The objects are ahead of the kernel now: the next change goes the
		// long way.
		s.held = false
	}
	return p, err
}

// Delta is how the last Update changed the program, whether or not it reached the
// kernel.
func (s *Session) Delta() compiler.Delta { return s.delta }

// Program is the whole program that the objects make.
func (s *Session) Program() *ir.Program { return s.objects.Program() }

func (s *Session) short(ctx context.Context, d *compiler.Delta) (applier.Plan, error) {
	if !d.Whole {
		p, err := s.change(ctx, d)
		if !errors.Is(err, applier.ErrWhole) {
			return p, err
		}
	}
	whole, err := s.emit(s.objects.Program())
	if err != nil {
		return nil, err
	}
	return s.changer.Replace(ctx, whole.Artifact)
}

func (s *Session) change(ctx context.Context, d *compiler.Delta) (applier.Plan, error) {
	change := s.changer.Change
	if d.Policy {
		p, ok := s.changer.(applier.PolicyChanger)
		if !ok {
			return nil, applier.ErrWhole
		}
		// The dataplane holds the old policy: it need not be emitted again.
		change, d.Before.Policy = p.ChangePolicy, ir.Policy{}
	}
	before, err := s.emit(d.Before)
	if err != nil {
		return nil, err
	}
	after, err := s.emit(d.After)
	if err != nil {
		return nil, err
	}
	return change(ctx, before.Artifact, after.Artifact)
}

func (s *Session) emit(p *ir.Program) (applier.Entry, error) {
	// The program is large and ends with what is made of it.
	node := p.Node.Name
	a, err := s.backend.Emit(p)
	if err != nil {
		return applier.Entry{}, fmt.Errorf("backend %s, node %s: %w", s.backend.Name(), node, err)
	}
	return applier.Entry{Backend: s.backend.Name(), Artifact: a}, nil
}

// nothing is the plan of a change that changes nothing.
type nothing struct{}

func (nothing) Empty() bool     { return true }
func (nothing) Steps() []string { return nil }
