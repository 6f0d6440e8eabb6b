package ipvs_test

import (
	"flag"
	"testing"

	"github.com/planec/planec/backends"
	emitter "github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/internal/interp/ipvs"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var policies = flag.Int("policies", 300, "how many random programs with policies to compare")

func interpret(p *ir.Program, a backends.Artifact) (func(eval.Packet) (eval.Result, error), error) {
	i, err := ipvs.New(a.File, p.Node.Addresses, false)
	if err != nil {
		return nil, err
	}
	return i.Eval, nil
}

// TestPoliciesAgreeWithEvaluator runs the emitted files of random programs with
// random policies.
func TestPoliciesAgreeWithEvaluator(t *testing.T) {
	count := interptest.RunPolicies(t, emitter.New(backends.DefaultOptions()), interpret, 1, *policies, 300)
	t.Log(count)
	if count.Programs != *policies || count.Packets < *policies*290 {
		t.Errorf("that is not %d programs with 300 packets each", *policies)
	}
}

// TestDialectsAgreeWithEvaluator does the same with policies that only other dialects
// than Kubernetes' can express.
func TestDialectsAgreeWithEvaluator(t *testing.T) {
	t.Log(interptest.RunDialects(t, emitter.New(backends.DefaultOptions()), interpret, 1, *policies, 300))
}
