package cli

import (
	"fmt"
	"strings"

	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/interp"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// oneBackend returns the error for a --backend that is missing or names several.
func oneBackend(backend string) error {
	names := strings.Join(registry.Names(), ", ")
	if backend == "" {
		return inputError(fmt.Errorf("--backend is missing: choose one of %s", names))
	}
	return inputError(fmt.Errorf("--backend %q: want one of %s", backend, names))
}

// judgeOf returns the judge of nodes: the evaluator if backend is "", else an
// interpreter of that backend's output.
func (l *loaded) judgeOf(backend string, explain bool) (func(*ir.Program) (netpath.Judge, error), error) {
	if backend == "" {
		return netpath.Evaluator, nil
	}
	selected, err := registry.Select(l.options, backend)
	if err != nil || len(selected) != 1 {
		return nil, oneBackend(backend)
	}
	return func(p *ir.Program) (netpath.Judge, error) {
		artifact, err := selected[0].Emit(p)
		if err != nil {
			return nil, fmt.Errorf("backend %s: %w", backend, err)
		}
		return interp.New(backend, artifact, p.Node.Addresses, explain)
	}, nil
}
