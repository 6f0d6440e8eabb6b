package ipvs_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/internal/testing/irtest"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs"
	interp "github.com/planec/planec/internal/interp/ipvs"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestRandomPrograms compares the emitted files with the evaluator for programs that
// the compiler does not produce, such as those that reject only internal sources.
func TestRandomPrograms(t *testing.T) {
	const programs, packets = 400, 500
	compared, other := 0, 0
	for seed := range uint64(programs) {
		p := irtest.RandomProgram(rand.New(rand.NewPCG(seed, 7)))
		b := ipvs.New(backends.Options{MasqueradeBit: int(seed % 32), Scheduler: ipvs.Schedulers()[seed%5]})
		a := emit(t, p, backends.Options{MasqueradeBit: int(seed % 32), Scheduler: ipvs.Schedulers()[seed%5]})
		i, err := interp.New(a.File, p.Node.Addresses, true)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		e, refused := eval.New(p), proof.NewSingle(b, p).Excludes
		for _, packet := range interptest.Packets(seed, p, packets) {
			want := e.Eval(packet)
			if refused(packet, want) {
				other++
				continue
			}
			compared++
			got, err := i.Eval(packet)
			if err == nil {
				err = differs(want, got)
			}
			if err != nil {
				t.Fatalf("seed %d: %v: %v\n%v\n%v", seed, packet, err, want.Steps, got.Steps)
			}
		}
	}
	t.Logf("%d programs, %d packets agree, %d to other ports of bound addresses were not compared", programs, compared, other)
}

func differs(want, got eval.Result) error {
	if want.Verdict != got.Verdict || !slices.Equal(want.Addresses(), got.Addresses()) || want.Masquerade != got.Masquerade {
		return fmt.Errorf("%v %v, masquerade %v; want %v %v, %v", got.Verdict, got.Addresses(), got.Masquerade, want.Verdict, want.Addresses(), want.Masquerade)
	}
	for i := range want.Endpoints {
		w := want.Endpoints[i]
		w.Origin = ir.Origin{}
		w.Share = got.Endpoints[i].Share // proofs compare it
		if !slices.Contains(got.Endpoints, w) {
			return fmt.Errorf("endpoints %+v, want among them %+v", got.Endpoints, w)
		}
	}
	return nil
}
