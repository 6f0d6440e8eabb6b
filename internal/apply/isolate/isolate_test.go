package isolate

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/planec/planec/ir/failsafe"
)

var errKernel = errors.New("the kernel refuses it")

// kernel refuses some objects, each until it is given up at a level.
type kernel struct {
	bad      map[failsafe.Object]failsafe.Level
	applied  failsafe.Set
	attempts int
}

func (k *kernel) attempt(_ context.Context, set failsafe.Set) error {
	k.attempts++
	for o, l := range k.bad {
		if set[o] < l {
			return errKernel
		}
	}
	k.applied = set
	return nil
}

func objects(n int) []failsafe.Object {
	out := make([]failsafe.Object, n)
	for i := range out {
		out[i] = failsafe.Object{Kind: failsafe.Service, Namespace: "a", Name: fmt.Sprintf("s-%05d", i)}
	}
	return out
}

// TestFind gives up exactly the objects that the kernel refuses, in few attempts.
func TestFind(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 17, 64, 65, 1000, 30000} {
		for bad := 1; bad <= min(n, 4); bad++ {
			list := objects(n)
			k := &kernel{bad: make(map[failsafe.Object]failsafe.Level)}
			for len(k.bad) < bad {
				k.bad[list[rng.IntN(n)]] = failsafe.Refused
			}
			set, err := Find(t.Context(), k.attempt, nil, [][]failsafe.Object{list}, errKernel)
			if err != nil {
				t.Fatalf("%d of %d: %v", bad, n, err)
			}
			if len(set) != bad || len(k.applied) != bad {
				t.Errorf("%d of %d: %d are given up", bad, n, len(set))
			}
			for o, l := range set {
				if k.bad[o] != l {
					t.Errorf("%d of %d: %v is given up", bad, n, o)
				}
			}
			if most := 5 + 2*bad*(bits.Len(uint(n))+1); k.attempts > most {
				t.Errorf("%d of %d: %d attempts, want %d at most", bad, n, k.attempts, most)
			}
		}
	}
}

// TestDeeper gives up more of an object that is refused even where it refuses.
func TestDeeper(t *testing.T) {
	for l := failsafe.Refused; l <= failsafe.Gone; l++ {
		list := objects(5)
		k := &kernel{bad: map[failsafe.Object]failsafe.Level{list[3]: l}}
		set, err := Find(t.Context(), k.attempt, nil, [][]failsafe.Object{list}, errKernel)
		if err != nil || len(set) != 1 || set[list[3]] != l {
			t.Errorf("level %d: %v, %v", l, set, err)
		}
	}
}

// TestNobodysFault gives nothing up where nothing helps, and where the failure passes.
func TestNobodysFault(t *testing.T) {
	list := objects(1000)
	before := failsafe.Set{list[7]: failsafe.Refused}
	always := 0
	set, err := Find(t.Context(), func(context.Context, failsafe.Set) error { always++; return errors.New("again") }, before, [][]failsafe.Object{list[:3], list}, errKernel)
	if !errors.Is(err, errKernel) || len(set) != 1 || always > 10 {
		t.Errorf("%v, %v after %d attempts", set, err, always)
	}
	set, err = Find(t.Context(), func(context.Context, failsafe.Set) error { return nil }, before, [][]failsafe.Object{list}, errKernel)
	if err != nil || len(set) != 1 {
		t.Errorf("%v, %v", set, err)
	}
	// An object that is not among the first suspects is found among all.
	k := &kernel{bad: map[failsafe.Object]failsafe.Level{list[500]: failsafe.Refused}}
	set, err = Find(t.Context(), k.attempt, before, [][]failsafe.Object{list[:3], list}, errKernel)
	if err != nil || set[list[500]] != failsafe.Refused || len(set) != 2 {
		t.Errorf("%v, %v", set, err)
	}
}
