package applier

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Applier puts artifacts into the kernel and remembers them.
type Applier struct {
	dataplanes map[string]Dataplane
	record     *Record
	// RecordFailed is told that the kernel is right though the record of it could
	// not be written, as when a disk is full. Without it that is an error of the
	// apply: who asked for one counts on going back.
	RecordFailed func(error)
	// Finish is whether a change that has begun is carried out and verified though
	// its context ends: half of one is worse than either.
	Finish bool
	// Doubt is told where it cannot be found out whether another backend has rules in
	// the kernel, which then stay if there are any.
	Doubt func(error)
	// alone is the backend beside which no other one has anything in the kernel, as
	// far as this applier has seen to it.
	alone string
	// spared are the backends of which a snapshot could not be made.
	spared map[string]error
}

// New drives the dataplanes, by the names of their backends.
func New(dataplanes map[string]Dataplane, record *Record) *Applier {
	return &Applier{dataplanes: dataplanes, record: record}
}

// ErrDrift says that the kernel is not what it should be after an apply.
var ErrDrift = errors.New("the kernel is not what was applied")

func (a *Applier) dataplane(backend string) (Dataplane, error) {
	d := a.dataplanes[backend]
	if d == nil {
		return nil, fmt.Errorf("backend %s cannot be applied on this system", backend)
	}
	return d, nil
}

// Plan says what an apply would change, and changes nothing.
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

// Apply makes the kernel what the artifact says and verifies it. What is there of
// other backends is removed once the new rules are in. The plan that was carried out
// comes back, also with an error.
func (a *Applier) Apply(ctx context.Context, e Entry) (Plan, error) {
	plan, err := a.change(ctx, e)
	if err != nil {
		return plan, err
	}
	before := a.recordedBackend()
	if err := a.Remember(e, plan); err != nil {
		return plan, err
	}
	return a.complete(ctx, e, plan, before)
}

// Install is Apply without a record: [Applier.Remember] writes it, once what was
// installed is to stay.
func (a *Applier) Install(ctx context.Context, e Entry) (Plan, error) {
	plan, err := a.change(ctx, e)
	if err != nil {
		return plan, err
	}
	return a.complete(ctx, e, plan, a.recordedBackend())
}

// Remember records what a plan has installed.
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

// Stage writes the record of what a plan has installed; it counts once it is
// committed.
func (a *Applier) Stage(e Entry, p Plan) (*Staged, error) {
	return a.record.stage(e, p != nil && p.FromNothing())
}

// Refused notes that what was installed last was taken back, so that a rollback does
// not go back further.
func (a *Applier) Refused() error { return a.record.refuse() }

// MeanwhileError is of a plan's Apply that met something else than the plan was
// made for. A plan made anew may go well.
type MeanwhileError struct{ Err error }

// Error is that of the error in it.
func (e *MeanwhileError) Error() string { return e.Err.Error() }

// Unwrap returns it.
func (e *MeanwhileError) Unwrap() error { return e.Err }

// Verify compares the kernel with an artifact: an error that wraps [ErrDrift]
// says what differs.
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

// DriftError says what would put the kernel right.
type DriftError struct {
	Backend string   // the backend whose rules differ
	Steps   []string // the plan's steps, which would mend it
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

// Unwrap makes it an [ErrDrift].
func (e *DriftError) Unwrap() error { return ErrDrift }

// Last returns what was applied last.
func (a *Applier) Last() (Entry, error) { return a.record.Last() }

// Errors of a rollback that changes nothing.
var (
	// ErrTakenBack says that the last apply was taken back already.
	ErrTakenBack = errors.New("the last change was not confirmed, and was taken back then")
	// ErrNothingBefore says that the record does not know what was there before.
	ErrNothingBefore = errors.New("the record does not say what the kernel had before the last apply: the rules stay (planec clean removes them)")
)

// Previous returns what a rollback applies: an entry without a backend is nothing, and
// an error says that there would be no rollback.
func (a *Applier) Previous() (Entry, error) {
	if a.record.refused() {
		return Entry{}, ErrTakenBack
	}
	return a.record.Previous()
}

// Rollback applies the artifact before the last one, or removes what the last one put
// in where there was nothing before.
func (a *Applier) Rollback(ctx context.Context) (Entry, Plan, error) {
	last, err := a.record.Last()
	if err != nil {
		return Entry{}, nil, err
	}
	if a.record.refused() {
		return last, nil, ErrTakenBack
	}
	previous, err := a.record.Previous()
	if errors.Is(err, ErrNoRecord) {
		return last, nil, ErrNothingBefore
	}
	if err == nil && previous.Backend == "" {
		_, err := a.Clean(ctx, last.Backend)
		return Entry{}, nil, errors.Join(err, a.record.Forget())
	}
	if err != nil {
		return Entry{}, nil, err
	}
	plan, err := a.Apply(ctx, previous)
	return previous, plan, err
}

// Clean removes everything of one backend.
func (a *Applier) Clean(ctx context.Context, backend string) ([]string, error) {
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

// CleanAll removes everything of every backend, and the record.
func (a *Applier) CleanAll(ctx context.Context) ([]string, error) {
	var removed []string
	var errs []error
	for _, name := range a.Backends() {
		words, err := a.Clean(ctx, name)
		removed, errs = append(removed, words...), append(errs, err)
	}
	return removed, errors.Join(append(errs, a.record.Forget())...)
}

// Backends lists the backends that can be applied here, sorted.
func (a *Applier) Backends() []string {
	names := make([]string, 0, len(a.dataplanes))
	for name := range a.dataplanes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
