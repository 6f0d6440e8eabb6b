package resolve_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// TestMemo wants one result for one policy, and another one as soon as a list is another.
func TestMemo(t *testing.T) {
	var p ir.Policy
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		program := irtest.RandomProgram(rng)
		irtest.AddRandomPolicy(rng, program)
		if p = program.Policy; len(p.Profiles) > 0 && len(p.AddressSets) > 0 {
			break
		}
	}
	if len(p.Profiles) == 0 || len(p.AddressSets) == 0 {
		t.Fatal("no program has policies")
	}
	var m resolve.Memo
	first, copied := m.New(&p, nil), p
	if m.New(&copied, nil) != first {
		t.Error("the same lists are resolved again")
	}
	for name, change := range map[string]func(*ir.Policy){
		"profiles":    func(p *ir.Policy) { p.Profiles = slices.Clone(p.Profiles) },
		"fewer":       func(p *ir.Policy) { p.Profiles = p.Profiles[:len(p.Profiles)-1] },
		"sets":        func(p *ir.Policy) { p.AddressSets = slices.Clone(p.AddressSets) },
		"on redirect": func(p *ir.Policy) { p.OnRedirect++ },
	} {
		var m resolve.Memo
		first, other := m.New(&p, nil), p
		if change(&other); m.New(&other, nil) == first {
			t.Errorf("%s: what was resolved before is used", name)
		}
	}
}
