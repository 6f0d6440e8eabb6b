package isolate

import (
	"context"
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/failsafe"
)

// Emit emits a program. A panic of the emitter comes from a single object and must
// not affect all others, so it becomes an error.
func Emit(b backends.Backend, p *ir.Program) (backends.Artifact, error) {
	return emit(b, p, b.Emit)
}

// Fragment is Emit of a fragment of a program, see [backends.Fragmenter].
func Fragment(b backends.Backend, p *ir.Program) (backends.Artifact, error) {
	return emit(b, p, func(p *ir.Program) (backends.Artifact, error) { return backends.Fragment(b, p) })
}

// Policies is [backends.PolicyChanges.Change] of a backend's follower, of two fragments.
func Policies(b backends.Backend, c backends.PolicyChanges, before, after *ir.Program) (was, is backends.Artifact, err error) {
	is, err = emit(b, after, func(after *ir.Program) (is backends.Artifact, err error) {
		was, is, err = c.Change(before, after)
		return is, err
	})
	return was, is, err
}

func emit(b backends.Backend, p *ir.Program, with func(*ir.Program) (backends.Artifact, error)) (a backends.Artifact, err error) {
	node := p.Node.Name
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("backend %s, node %s: the emitter panicked: %v", b.Name(), node, r)
		}
	}()
	if a, err = with(p); err != nil {
		return a, fmt.Errorf("backend %s, node %s: %w", b.Name(), node, err)
	}
	return a, nil
}

// EmitMost emits the rest after Emit has failed, and returns the objects that
// cannot be emitted.
func EmitMost(ctx context.Context, b backends.Backend, p *ir.Program, first error) (a backends.Artifact, set failsafe.Set, err error) {
	attempt := func(_ context.Context, set failsafe.Set) (err error) {
		a, err = Emit(b, failsafe.Program(p, set))
		return err
	}
	if set, err = Find(ctx, attempt, nil, [][]failsafe.Object{failsafe.Of(p)}, first); err != nil {
		return backends.Artifact{}, nil, err
	}
	// The last attempt may have failed.
	a, err = Emit(b, failsafe.Program(p, set))
	return a, set, err
}
