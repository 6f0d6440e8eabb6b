package cli

import (
	"fmt"

	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/interp"
	"github.com/planec/planec/internal/netpath"
	"github.com/planec/planec/ir"
)

// judgeOf returns who answers for a node: the evaluator where backend is "", else
// an interpreter of what that backend emits.
func (l *loaded) judgeOf(backend string, explain bool) (func(*ir.Program) (netpath.Judge, error), error) {
	if backend == "" {
		return netpath.Evaluator, nil
	}
	selected, err := registry.Select(l.options(), backend)
	if err != nil || len(selected) != 1 {
		return nil, inputError(fmt.Errorf("--backend %q: want one of %v", backend, registry.Names()))
	}
	return func(p *ir.Program) (netpath.Judge, error) {
		artifact, err := selected[0].Emit(p)
		if err != nil {
			return nil, fmt.Errorf("backend %s: %w", backend, err)
		}
		return interp.New(backend, artifact, p.Node.Addresses, explain)
	}, nil
}
