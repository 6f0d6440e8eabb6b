package golden

import (
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
)

// fifth is a complete backend that shows the requirements for a new one. Its
// "rules" are the program's text.
type fifth struct{}

func (fifth) Name() string                { return "fifth" }
func (fifth) Check(*ir.Program) diag.List { return nil }
func (fifth) Emit(p *ir.Program) (backends.Artifact, error) {
	return backends.Artifact{Files: []backends.File{{Name: "program.txt", Data: p.Text()}}}, nil
}

// TestFifthBackend runs a backend outside of the registry through the tests of all
// backends. Besides its package, a real backend only needs a line in the registry.
func TestFifthBackend(t *testing.T) {
	interpret := func(_ *ir.Program, a backends.Artifact) (func(eval.Packet) (eval.Result, error), error) {
		p, err := irtest.ParseText(a.File("program.txt"))
		if err != nil {
			return nil, err
		}
		e := eval.New(p)
		return func(packet eval.Packet) (eval.Result, error) { return e.Eval(packet), nil }, nil
	}
	if c := interptest.Run(t, fifth{}, interpret, 1, 20, 100); c.Packets != 2000 || c.Disagreements != 0 {
		t.Error(c)
	}
}
