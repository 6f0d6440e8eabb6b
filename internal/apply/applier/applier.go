package applier

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Applier applies artifacts to the kernel and records them.
type Applier struct {
	dataplanes map[string]Dataplane
	record     *Record
	// RecordFailed is called if the kernel is right but the record could not be
	// written, for example because a disk is full. If it is nil, that fails the
	// apply, because the caller may rely on a rollback.
	RecordFailed func(error)
	// Finish completes and verifies a change that has begun even if its context
	// ends: half a change is worse than either state.
	Finish bool
	// Quietly, if not nil, executes a plan whose effect is read back then: what it keeps from
	// watching meanwhile is seen by that reading.
	Quietly func(apply func() error) error
	// Doubt is called if it is unknown whether another backend has rules in the
	// kernel. Such rules stay.
	Doubt func(error)
	// Place is where programs are put, for the record; "" is not known.
	Place string
	// alone is the backend that, as far as this applier has checked, is the only
	// one with rules in the kernel.
	alone string
	// spared are the backends without a snapshot.
	spared map[string]error
	// trusted is whether the seal of an earlier process was used: it is for the first apply.
	trusted bool
}

// New returns an applier for the dataplanes, by the names of their backends.
func New(dataplanes map[string]Dataplane, record *Record) *Applier {
	return &Applier{dataplanes: dataplanes, record: record}
}

// ErrDrift says that the kernel differs from what was applied.
var ErrDrift = errors.New("the kernel is not what was applied")

func (a *Applier) dataplane(backend string) (Dataplane, error) {
	d := a.dataplanes[backend]
	if d == nil {
		return nil, fmt.Errorf("backend %s cannot be applied on this system", backend)
	}
	return d, nil
}

// Plan returns what an apply would change, without changing it.
func (a *Applier) Plan(ctx context.Context, e Entry) (Plan, error) {
	d, err := a.dataplane(e.Backend)
	if err != nil {
		return nil, err
	}
	p, err := d.Plan(ctx, e.Artifact)
	if err != nil {
		return nil, fmt.Errorf("backend %s: %w", e.Backend, err)
	}
	return p, nil
}

// Apply brings the kernel in line with the artifact and verifies it. Once the new
// rules are in, it removes those of other backends. It returns the executed plan,
// also with an error. The first apply believes what an earlier process has left as a proof
// that the rules are right.
func (a *Applier) Apply(ctx context.Context, e Entry) (Plan, error) {
	a.trust(e.Backend)
	plan, err := a.change(ctx, e)
	if err != nil {
		return plan, err
	}
	before := a.recordedBackend()
	if err := a.Remember(e, plan); err != nil {
		return plan, err
	}
	plan, err = a.complete(ctx, e, plan, before)
	if err == nil {
		a.Seal(e)
	}
	return plan, err
}

// Install is Apply without a record: [Applier.Remember] writes it when the
// installed rules are to stay.
func (a *Applier) Install(ctx context.Context, e Entry) (Plan, error) {
	plan, err := a.change(ctx, e)
	if err != nil {
		return plan, err
	}
	return a.complete(ctx, e, plan, a.recordedBackend())
}

// Remember records an installed plan.
func (a *Applier) Remember(e Entry, p Plan) error {
	s, err := a.Stage(e, p)
	if err == nil {
		err = s.Commit()
	}
	if err != nil && a.RecordFailed != nil {
		a.RecordFailed(err)
		return nil
	}
	return err
}

// Stage writes the record of an installed plan; it counts once it is
// committed.
func (a *Applier) Stage(e Entry, p Plan) (*Staged, error) {
	if r, ok := a.dataplanes[e.Backend].(Recorder); ok {
		e.Artifact = r.Recorded(e.Artifact)
	}
	if _, ok := a.dataplanes[e.Backend].(Programmed); ok {
		e.Place = a.Place
	}
	return a.record.stage(e, p != nil && p.FromNothing())
}

// Refused notes that the last installed change was reverted, so that a rollback does
// not go back further.
func (a *Applier) Refused() error { return a.record.refuse() }

// MeanwhileError says that the kernel changed between a plan and its Apply. A
// new plan may succeed.
type MeanwhileError struct{ Err error }

// Error returns the text of the wrapped error.
func (e *MeanwhileError) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *MeanwhileError) Unwrap() error { return e.Err }

// Verify compares the kernel with an artifact. An error that wraps [ErrDrift]
// describes the differences.
func (a *Applier) Verify(ctx context.Context, e Entry) error {
	left, err := a.Plan(ctx, e)
	if err != nil {
		return err
	}
	if left.Empty() {
		return nil
	}
	return &DriftError{Backend: e.Backend, Steps: left.Steps()}
}

// DriftError lists the steps that would repair the kernel.
type DriftError struct {
	Backend string   // the backend whose rules differ
	Steps   []string // the steps of the repair, one line each
}

// Error names the first differences.
func (e *DriftError) Error() string {
	const most = 3
	steps := "1 step"
	if len(e.Steps) != 1 {
		steps = fmt.Sprintf("%d steps", len(e.Steps))
	}
	text := fmt.Sprintf("backend %s: %v: %s would put it right", e.Backend, ErrDrift, steps)
	for _, s := range e.Steps[:min(most, len(e.Steps))] {
		text += "; " + s
	}
	return text
}

// Unwrap returns [ErrDrift].
func (e *DriftError) Unwrap() error { return ErrDrift }

// Last returns the last applied entry.
func (a *Applier) Last() (Entry, error) { return a.record.Last() }

// Errors of a rollback that has nothing to change.
var (
	// ErrTakenBack says that the last apply was already reverted.
	ErrTakenBack = errors.New("the last change was not confirmed, and was taken back then")
	// ErrNothingBefore says that the record does not contain the previous state.
	ErrNothingBefore = errors.New("the record does not say what the kernel had before the last apply: the rules stay (planec clean removes them)")
)

// Previous returns what a rollback applies: an entry without a backend means no rules.
// An error means that a rollback is impossible.
func (a *Applier) Previous() (Entry, error) {
	if a.record.refused() {
		return Entry{}, ErrTakenBack
	}
	return a.record.Previous()
}

// Rollback applies the previous artifact, or removes the last one if the kernel had
// no rules before it.
func (a *Applier) Rollback(ctx context.Context) (Entry, Plan, error) {
	last, previous, err := a.before()
	if err != nil {
		return last, nil, err
	}
	if previous.Backend == "" {
		_, err := a.Clean(ctx, last.Backend)
		return Entry{}, nil, errors.Join(err, a.record.Forget())
	}
	plan, err := a.Apply(ctx, previous)
	return previous, plan, err
}

// before returns the last entry and the one that a rollback applies; one without a backend
// means no rules.
func (a *Applier) before() (last, previous Entry, err error) {
	if last, err = a.record.Last(); err != nil {
		return Entry{}, Entry{}, err
	}
	if a.record.refused() {
		return last, Entry{}, ErrTakenBack
	}
	previous, err = a.record.Previous()
	if errors.Is(err, ErrNoRecord) {
		err = ErrNothingBefore
	}
	return last, previous, err
}

// Clean removes all rules of one backend, and those of the backend that it serves with.
func (a *Applier) Clean(ctx context.Context, backend string) ([]string, error) {
	removed, err := a.clean(ctx, backend)
	if with := a.with(backend); with != "" && a.dataplanes[with] != nil && err == nil {
		more, failed := a.clean(ctx, with)
		removed, err = append(removed, more...), failed
	}
	return removed, err
}

// clean removes a backend's own rules.
func (a *Applier) clean(ctx context.Context, backend string) ([]string, error) {
	d, err := a.dataplane(backend)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if a.Finish {
		ctx = context.WithoutCancel(ctx)
	}
	removed, err := d.Clean(ctx)
	if err != nil {
		return removed, fmt.Errorf("backend %s: cleaning: %w", backend, err)
	}
	return removed, nil
}

// CleanAll removes all rules of every backend, and the record.
func (a *Applier) CleanAll(ctx context.Context) ([]string, error) {
	var removed []string
	var errs []error
	for _, name := range a.Backends() {
		words, err := a.clean(ctx, name)
		removed, errs = append(removed, words...), append(errs, err)
	}
	return removed, errors.Join(append(errs, a.record.Forget())...)
}

// Backends lists the backends that this machine can apply, sorted.
func (a *Applier) Backends() []string {
	return slices.Sorted(maps.Keys(a.dataplanes))
}
