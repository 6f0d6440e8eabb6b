package golden

import (
	"testing"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/vethtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestVethCases runs the programs of pods' interfaces on the flows of every case with policies,
// and on random packets, by BPF_PROG_TEST_RUN.
func TestVethCases(t *testing.T) {
	h := vethtest.New(t)
	interpret := func(p *ir.Program, _ backends.Artifact) (func(eval.Packet) (eval.Result, error), error) {
		j, err := vethtest.NewJudge(h, p)
		if err != nil {
			return nil, err
		}
		return j.Eval, nil
	}
	var sum interptest.Count
	for _, c := range loadCases(t) {
		in, _, _ := load(t, c)
		program, _ := compiler.Compile(in)
		if len(program.Policy.Profiles) == 0 {
			continue
		}
		var packets []eval.Packet
		for _, f := range c.Flows {
			packets = append(packets, f.Packet)
		}
		packets = append(packets, interptest.Packets(1, program, 200)...)
		sum.Add(interptest.Program(t, c.Name, program, image.New(backends.DefaultOptions()), interpret, packets, len(packets)))
	}
	t.Log(sum)
	if sum.Programs < 30 {
		t.Errorf("only %d cases have policies", sum.Programs)
	}
}
