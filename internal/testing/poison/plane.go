package poison

import (
	"bytes"
	"context"
	"errors"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/ir"
)

// Stage is the stage at which a bad object is refused.
type Stage string

// The stages from the emitter to the verification.
const (
	EmitFails   Stage = "the emitter fails"
	EmitPanics  Stage = "the emitter panics"
	PlanFails   Stage = "the plan fails"
	Refused     Stage = "the kernel refuses it"
	Drifts      Stage = "the kernel refuses a change after some of it"
	WholeNeeded Stage = "the kernel refuses a change that needs the whole"
	NeverSame   Stage = "what is read back is never the same"
	HoldFails   Stage = "what was applied cannot be held"
)

// Stages returns the stages, the most likely first.
func Stages() []Stage {
	return []Stage{Refused, Drifts, NeverSame, WholeNeeded, PlanFails, EmitFails, EmitPanics, HoldFails}
}

// ErrRefused is the error of a kernel that refuses a bad object.
var ErrRefused = errors.New("invalid argument (a test's)")

// Poison refuses, at one stage, everything that contains the marker.
type Poison struct {
	Stage  Stage  // when it refuses
	Marker string // a text in the rules of the bad object only
	// Refusals counts the refusals.
	Refusals int
}

func (p *Poison) bad(a backends.Artifact) bool {
	if p.Marker == "" {
		return false
	}
	for _, f := range a.Files {
		if bytes.Contains(f.Data, []byte(p.Marker)) {
			p.Refusals++
			return true
		}
	}
	return false
}

// Backend is a backend that refuses in Emit.
type Backend struct {
	backends.Backend
	*Poison
}

// Emit implements [backends.Backend].
func (b Backend) Emit(p *ir.Program) (backends.Artifact, error) {
	a, err := b.Backend.Emit(p)
	if err == nil && (b.Stage == EmitFails || b.Stage == EmitPanics) && b.bad(a) {
		if b.Stage == EmitPanics {
			panic("index out of range (a test's)")
		}
		return backends.Artifact{}, ErrRefused
	}
	return a, err
}

// Plane is a dataplane that refuses in the kernel.
type Plane struct {
	applier.Dataplane
	*Poison
}

// unequal is a plan that always finds a difference.
type unequal struct{ applier.Plan }

func (unequal) Empty() bool     { return false }
func (unequal) Steps() []string { return []string{"make it the same (a test's)"} }

// refused is a plan that the kernel does not take.
type refused struct{ applier.Plan }

func (refused) Apply(context.Context) error { return ErrRefused }

// Plan implements [applier.Dataplane].
func (p *Plane) Plan(ctx context.Context, a backends.Artifact) (applier.Plan, error) {
	bad := p.Stage != EmitFails && p.Stage != EmitPanics && p.bad(a)
	if bad && p.Stage == PlanFails {
		return nil, ErrRefused
	}
	plan, err := p.Dataplane.Plan(ctx, a)
	switch {
	case err != nil || !bad || p.Stage == HoldFails:
		return plan, err
	case p.Stage == NeverSame:
		return unequal{plan}, nil
	}
	return refused{plan}, nil
}

// Hold implements [applier.Dataplane].
func (p *Plane) Hold(a backends.Artifact) error {
	if p.Stage == HoldFails && p.bad(a) {
		return ErrRefused
	}
	return p.Dataplane.Hold(a)
}

// Change implements [applier.Dataplane].
func (p *Plane) Change(before, after backends.Artifact) (applier.Plan, error) {
	if err := p.short(after); err != nil {
		if p.Stage == WholeNeeded {
			return nil, applier.ErrWhole
		}
		return nil, err
	}
	return p.Dataplane.Change(before, after)
}

// Replace implements [applier.Dataplane].
func (p *Plane) Replace(whole backends.Artifact) (applier.Plan, error) {
	if err := p.short(whole); err != nil {
		return nil, err
	}
	return p.Dataplane.Replace(whole)
}

// ChangePolicy implements [applier.PolicyChanger], for planes that are one.
func (p *Plane) ChangePolicy(before, after backends.Artifact) (applier.Plan, error) {
	if err := p.short(after); err != nil {
		return nil, err
	}
	c, ok := p.Dataplane.(applier.PolicyChanger)
	if !ok {
		return nil, applier.ErrWhole
	}
	return c.ChangePolicy(before, after)
}

// short refuses incremental changes. An incomplete change that is not atomic is a
// drift, which a full comparison finds.
func (p *Plane) short(after backends.Artifact) error {
	if p.Stage == EmitFails || p.Stage == EmitPanics || !p.bad(after) {
		return nil
	}
	if p.Stage == Drifts || p.Stage == NeverSame || p.Stage == HoldFails {
		return applier.ErrDrift
	}
	return ErrRefused
}
