package failsafe_test

import (
	"math/rand/v2"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/failsafe"
)

// TestNeverOpens gives random objects of random programs up: what they refused
// before stays refused, the Services among them refuse everything, and packets
// that are not about them have the fate that they had.
func TestNeverOpens(t *testing.T) {
	closed, refused := 0, 0
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 5))
		p := irtest.RandomProgram(rng)
		irtest.AddRandomDialects(rng, p)
		set := make(failsafe.Set)
		for _, o := range failsafe.Of(p) {
			if rng.IntN(3) == 0 {
				level := failsafe.Level(1 + rng.IntN(3))
				if o.Kind == failsafe.Service {
					level = failsafe.Refused
				}
				set.Add(o, level)
			}
		}
		safe := failsafe.Program(p, set)
		if err := ir.Verify(safe); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := ir.Verify(p); err != nil {
			t.Fatalf("seed %d: the program itself: %v", seed, err)
		}
		before, after := eval.New(p), eval.New(safe)
		for _, f := range testkit.RandomFlows(rng, p, 200) {
			packet := eval.Packet{Src: f.Src, Dst: f.Dst, Protocol: f.Protocol, Port: f.Port, From: f.From}
			was, is := before.Eval(packet), after.Eval(packet)
			about := was.Frontend != nil && set[failsafe.ServiceOf(was.Frontend.Service)] != 0
			switch {
			case about:
				refused++
				if is.Verdict != eval.Reject {
					t.Fatalf("seed %d: %v: a Service that is given up gives %v", seed, packet, is.Verdict)
				}
			case was.Verdict == eval.Drop || was.Verdict == eval.Reject:
				if is.Verdict != eval.Drop && is.Verdict != eval.Reject {
					t.Fatalf("seed %d: %v: %v became %v", seed, packet, was.Verdict, is.Verdict)
				}
			case is.Verdict != was.Verdict:
				closed++
				if len(set) == 0 || is.Verdict != eval.Drop && is.Verdict != eval.Reject {
					t.Fatalf("seed %d: %v: %v became %v", seed, packet, was.Verdict, is.Verdict)
				}
			}
		}
	}
	if closed < 100 || refused < 100 {
		t.Errorf("%d packets were closed, %d refused: not enough to tell", closed, refused)
	}
}

// TestNothing gives nothing up.
func TestNothing(t *testing.T) {
	p := irtest.KitchenSink()
	if failsafe.Program(p, nil) != p || failsafe.Program(p, failsafe.Set{{Kind: failsafe.Service, Namespace: "no", Name: "such"}: failsafe.Gone}) != p {
		t.Error("a program without the objects is not itself")
	}
}
