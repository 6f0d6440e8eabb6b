package live

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

// sealed applies a text and returns the seal of what is in the kernel.
func (r *rig) sealed(text string) *Seal {
	r.t.Helper()
	m := parse(r.t, text)
	r.apply(Diff(r.observe(), m))
	var s *Seal
	g := r.observe().Generation
	r.do(func() (err error) { s, err = NewSeal(m, g); return err })
	if s == nil {
		r.t.Fatal("no seal of what was applied")
	}
	return s
}

// proves reports whether a seal proves that the kernel has a text.
func (r *rig) proves(s *Seal, text string) bool {
	r.t.Helper()
	var state *State
	r.do(func() (err error) { state, err = s.State(parse(r.t, text)); return err })
	if state != nil && !Diff(r.observe(), state.Model).Empty() {
		r.t.Fatal("the seal proves what is not so")
	}
	return state != nil
}

func kitchenSink(t *testing.T) string {
	return string(emitWith(t, irtest.KitchenSink(), backends.DefaultOptions()))
}

// TestSealProves wants a seal to hold while nothing happens, also where others read, and
// nft to list tables with the seal's names.
func TestSealProves(t *testing.T) {
	r := newRig(t)
	text := kitchenSink(t)
	s := r.sealed(text)
	if !r.proves(s, text) {
		t.Error("it does not hold right away")
	}
	r.list()
	if !r.proves(s, text) {
		t.Error("it does not hold after nft has listed the rules")
	}
	if r.proves(s, string(emitWith(t, irtest.ManyServices(3), backends.DefaultOptions()))) {
		t.Error("it proves another text")
	}
	// A program that names the tables only makes no transaction of them.
	r.verify(parse(t, text))
}

// TestSealIsBroken wants no seal to hold after a transaction, whatever it did: elements are
// deleted, deleted and added again, a rule is replaced, another table changes, the tables are
// made again from the same text.
func TestSealIsBroken(t *testing.T) {
	text := kitchenSink(t)
	for name, change := range map[string]string{
		"deleted element":     "delete element ip planec cluster-ips { 10.96.0.1 }\n",
		"deleted and added":   "delete element ip planec cluster-ips { 10.96.0.1 }\nadd element ip planec cluster-ips { 10.96.0.1 }\n",
		"one for another":     "delete element ip planec cluster-ips { 10.96.0.1 }\nadd element ip planec cluster-ips { 10.96.77.77 }\n",
		"added rule":          "add rule ip planec pick-1 accept\n",
		"flushed chain":       "flush chain ip planec pick-1\n",
		"dormant table":       "add table ip planec { flags dormant; }\n",
		"another table":       "add table ip another\n",
		"deleted table":       "delete table ip6 planec\n",
		"all of it once more": text,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := r.sealed(text)
			r.nft(change)
			if r.proves(s, text) {
				t.Error("it holds")
			}
		})
	}
}

// TestSealOfAnotherNamespace wants a seal not to hold for the same text that nft has loaded
// somewhere else, even where as many transactions were made.
func TestSealOfAnotherNamespace(t *testing.T) {
	text := kitchenSink(t)
	r, other := newRig(t), newRig(t)
	s := r.sealed(text)
	other.nft(text)
	generation := func() (g uint32) {
		other.do(func() (err error) { g, err = Generation(); return err })
		return g
	}
	for n := 0; generation() < s.Generation; n++ {
		other.nft(fmt.Sprintf("add table ip filler%d\n", n))
	}
	s.Generation = generation()
	if other.proves(s, text) {
		t.Error("it holds for tables that nft has made")
	}
	m := parse(t, text)
	other.do(func() error {
		if s, err := NewSeal(m, s.Generation); s != nil || err != nil {
			t.Errorf("tables that nft has made are sealed: %v, %v", s, err)
		}
		return nil
	})
}

// grown is the fragment of Service i with as many endpoints more.
func grown(p *ir.Program, i, more int) *ir.Program {
	f := some(p, i, 1)
	pool := f.Pools[0]
	for n := range more {
		a := netip.AddrFrom4([4]byte{10, 200, byte(i), byte(n)})
		pool.Endpoints = append(pool.Endpoints[:len(pool.Endpoints):len(pool.Endpoints)], ir.Endpoint{Address: netip.AddrPortFrom(a, 8080), Weight: 1})
	}
	f.Pools = []ir.Pool{pool}
	return f
}

// TestHeldSeal wants what a Live holds after changes of its own to be sealed, and nothing
// once another program has made a transaction in between.
func TestHeldSeal(t *testing.T) {
	r := newRig(t)
	p := irtest.ManyServices(20)
	text := emitWith(t, p, backends.DefaultOptions())
	m := parse(t, string(text))
	r.apply(Diff(r.observe(), m))
	l := NewLive(m)
	l.KnowGeneration(r.observe().Generation)
	for n := range 3 {
		// New chains, and so two transactions each.
		before, after := some(p, n, 1), grown(p, n, 9+n)
		plan, err := l.Change(emitWith(t, before, backends.DefaultOptions()), emitWith(t, after, backends.DefaultOptions()))
		if err != nil {
			t.Fatal(err)
		}
		r.apply(plan)
		l.Commit(plan)
		p.Pools[n] = after.Pools[0]
	}
	whole := emitWith(t, p, backends.DefaultOptions())
	seal := func(text []byte) (s *Seal) {
		r.do(func() (err error) { s, err = l.Seal(text); return err })
		return s
	}
	s := seal(whole)
	if s == nil || !r.proves(s, string(whole)) {
		t.Fatalf("no seal after changes: %v", s)
	}
	if seal(text) != nil {
		t.Error("a text that is not held is sealed")
	}
	r.nft("delete element ip planec cluster-ips { 10.96.0.1 }\nadd element ip planec cluster-ips { 10.96.0.1 }\n")
	if seal(whole) != nil {
		t.Error("what another program has changed is sealed")
	}
}

// TestNonce wants the name of a table to be found among what nft writes, and nothing in
// bytes that are cut off.
func TestNonce(t *testing.T) {
	own := appendNonce(appendComment(nil, "a table"))
	if len(nonceOf(own)) != 2*nonceLen || nonceOf(own) == nonceOf(appendNonce(nil)) {
		t.Errorf("found %q in %x", nonceOf(own), own)
	}
	for i := range own {
		if got := nonceOf(own[:i]); got != "" {
			t.Errorf("found %q in %x", got, own[:i])
		}
	}
	if nonceOf([]byte{udataNonce, 3, 1, 2, 3}) != "" {
		t.Error("a name of another length is one")
	}
}
