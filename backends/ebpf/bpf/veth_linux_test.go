package bpf_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/vethtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestVethPolicies runs the programs of pods' interfaces on packets, with random clusters and
// with random policies in combinations that no compiler makes, and compares them with the
// evaluator.
func TestVethPolicies(t *testing.T) {
	h := vethtest.New(t)
	b := image.New(backends.DefaultOptions())
	interpret := func(p *ir.Program, _ backends.Artifact) (func(eval.Packet) (eval.Result, error), error) {
		j, err := vethtest.NewJudge(h, p)
		if err != nil {
			return nil, err
		}
		return j.Eval, nil
	}
	t.Log(interptest.Run(t, b, interpret, 1, *clusters/2, *tuples))
	t.Log(interptest.RunPolicies(t, b, interpret, 1, *clusters, *tuples))
	t.Log(runDialects(t, h, *clusters/2, *tuples))
	for i, name := range []string{"from_pod", "to_pod"} {
		for _, c := range []uint32{1, 2, 3, 6} { // accepted, passed, denied, midstream
			n, err := h.Counter(uint32(i)*8 + c)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 && (i != 0 || c != 2) {
				t.Errorf("%s: counter %d is 0", name, c)
			}
		}
	}
}

// runDialects is interptest.RunDialects without the profile of the node, which rules of
// packets judge. The programs' counts of logs are compared too.
func runDialects(t *testing.T, h *vethtest.Hooks, programs, packets int) (count interptest.Count) {
	t.Helper()
	interpret := func(p *ir.Program, _ backends.Artifact) (func(eval.Packet) (eval.Result, error), error) {
		j, err := vethtest.NewJudge(h, p)
		if err != nil {
			return nil, err
		}
		return j.Eval, nil
	}
	for seed := range uint64(programs) {
		rng := rand.New(rand.NewPCG(seed, 13))
		p := irtest.RandomProgram(rng)
		irtest.AddRandomDialects(rng, p)
		p = vethtest.WithoutNode(p)
		list := slices.DeleteFunc(interptest.Packets(seed, p, packets), func(q eval.Packet) bool {
			return q.Protocol == authentication && !q.Src.Is4() // a header before that of the transport
		})
		count.Add(interptest.Program(t, fmt.Sprintf("dialect seed %d", seed), p, image.New(backends.DefaultOptions()), interpret, list, packets))
		if count.Disagreements > 20 {
			t.Fatal("too many disagreements")
		}
	}
	return count
}

// authentication is the number of the authentication header (RFC 4302).
const authentication ir.Protocol = 51
