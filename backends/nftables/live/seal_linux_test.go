package live

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

func wanted(t testing.TB, text string) *Wanted {
	t.Helper()
	w, err := Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// sealed applies a text and returns the seal of what is in the kernel.
func (r *rig) sealed(text string) *Seal {
	r.t.Helper()
	w := wanted(r.t, text)
	plan, err := r.observe().Plan(w)
	if err != nil {
		r.t.Fatal(err)
	}
	r.apply(plan)
	var s *Seal
	g := r.observe().Generation
	r.do(func() (err error) { s, err = NewSeal(w, g); return err })
	if s == nil {
		r.t.Fatal("no seal of what was applied")
	}
	return s
}

// proves reports whether a seal proves that the kernel has a text.
func (r *rig) proves(s *Seal, text string) bool {
	r.t.Helper()
	w := wanted(r.t, text)
	var state *State
	r.do(func() (err error) { state, err = s.State(w); return err })
	if state == nil {
		return false
	}
	if plan, err := state.Plan(w); err != nil || !plan.Empty() {
		r.t.Fatalf("what the seal proves is not what is there: %v, %v", plan.Steps(), err)
	}
	if plan, err := state.Plan(wanted(r.t, text)); err == nil {
		r.t.Fatalf("what was not read is compared with another text: %v", plan.Steps())
	}
	if plan, err := r.observe().Plan(w); err != nil || !plan.Empty() {
		r.t.Fatalf("the seal proves what is not so: %v, %v", plan.Steps(), err)
	}
	return true
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
	w := wanted(t, text)
	other.do(func() error {
		if s, err := NewSeal(w, s.Generation); s != nil || err != nil {
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
		r.do(func() (err error) { s, err = l.Seal(backends.File{Data: text}); return err })
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

// TestUnreadSeal wants what is held unread to be sealed as what it is and as nothing else, and a
// change of it to be the one that it is of the same rules in full.
func TestUnreadSeal(t *testing.T) {
	r := newRig(t)
	p := irtest.ManyServices(20)
	text := emitWith(t, p, backends.DefaultOptions())
	s := r.sealed(string(text))
	l := Hold(wanted(t, string(text)))
	l.KnowGeneration(r.observe().Generation)
	seal := func(text []byte) (s *Seal) {
		r.do(func() (err error) { s, err = l.Seal(backends.File{Data: text}); return err })
		return s
	}
	if again := seal(text); again == nil || again.Content != s.Content || l.unread == nil {
		t.Errorf("sealed as %v, want %v, without a look at the elements", again, s)
	}
	was, after := emitWith(t, some(p, 0, 1), backends.DefaultOptions()), grown(p, 0, 9)
	p.Pools[0] = after.Pools[0]
	whole := emitWith(t, p, backends.DefaultOptions())
	if seal(whole) != nil {
		t.Error("a text that is not held is sealed")
	}
	plan, err := l.Change(was, emitWith(t, after, backends.DefaultOptions()))
	if err != nil {
		t.Fatal(err)
	}
	r.apply(plan)
	l.Commit(plan)
	r.verify(parse(t, string(whole)))
	if s := seal(whole); s == nil || !r.proves(s, string(whole)) {
		t.Errorf("no seal after a change: %v", s)
	}
}

// TestSealOfElements wants every element to show in what is sealed, wherever it is in its set.
func TestSealOfElements(t *testing.T) {
	text := string(emitWith(t, irtest.ManyServices(40), backends.DefaultOptions()))
	digest := func(text string) string {
		d, err := wanted(t, text).digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	seen := map[string]int{digest(text): -1}
	lines, changed := strings.SplitAfter(text, "\n"), 0
	for i, line := range lines {
		if !strings.HasPrefix(line, "\t\t\t") || !strings.Contains(line, " . tcp . 80") {
			continue
		}
		other := slices.Clone(lines)
		other[i] = strings.Replace(line, " . tcp . 80", " . tcp . 9", 1)
		d := digest(strings.Join(other, ""))
		if before, same := seen[d]; same {
			t.Fatalf("line %d does not show, or only as line %d", i+1, before+1)
		}
		seen[d] = i
		changed++
	}
	if changed <= proved {
		t.Errorf("%d elements were changed, and %d are sealed in the kernel's form anyway", changed, proved)
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
