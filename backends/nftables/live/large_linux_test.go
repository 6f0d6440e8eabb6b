package live

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

// resized is a program with one pool of another size.
func resized(p *ir.Program, i, n int) *ir.Program {
	out := *p
	out.Pools = append([]ir.Pool(nil), p.Pools...)
	pool := p.Pools[i]
	pool.Endpoints = nil
	for j := range n {
		a := netip.AddrFrom4([4]byte{10, 201, byte(i), byte(j)})
		pool.Endpoints = append(pool.Endpoints, ir.Endpoint{Address: netip.AddrPortFrom(a, 8080), Weight: 1})
	}
	out.Pools[i] = pool
	return &out
}

// TestPoolSizes changes the sizes of pools by fragments, at random between nothing and more
// than the third map of large pools holds: the tables are what a whole load makes, with no
// map, chain or element too many, and no change needs the whole text for the size alone.
func TestPoolSizes(t *testing.T) {
	r, rng := newRig(t), rand.New(rand.NewPCG(8, 9))
	p := irtest.ManyServices(6)
	emit := func(p *ir.Program) []byte { return emitWith(t, p, backends.DefaultOptions()) }
	m := parse(t, string(emit(p)))
	r.apply(Diff(r.observe(), m))
	l := NewLive(m)
	sizes, maps := []int{1, 2, 7, 8, 9, 10, 15, 16, 17, 18, 32, 33, 40}, 0
	for range 60 {
		i := 1 + rng.IntN(len(p.Pools)-1) // the first has a pod of this node, so the rest has one too
		next := resized(p, i, sizes[rng.IntN(len(sizes))])
		plan, err := l.Change(emit(some(p, i, 1)), emit(some(next, i, 1)))
		if err != nil {
			t.Fatal(err)
		}
		r.apply(plan)
		l.Commit(plan)
		p = next
		maps += strings.Count(strings.Join(plan.Steps(), "\n"), "add map endpoints-")
		whole := parse(t, string(emit(p)))
		r.verify(whole)
		if held := diffModels(l.model, whole); !held.Empty() {
			t.Fatalf("what is held differs:\n%s", strings.Join(held.Steps(), "\n"))
		}
	}
	if maps < 5 {
		t.Errorf("only %d maps came", maps)
	}
}
