package live

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
)

// TestParts wants large sets to be filled by several transactions, each element by one, in
// the order in which they are, and small ones by the first. Those also have maps to verdicts, unless
// the table is new.
func TestParts(t *testing.T) {
	for _, created := range []bool{true, false} {
		want := parse(t, manyVerdicts(t))
		p := diffModels(&Model{}, want).stages().added
		for _, c := range p.changes {
			c.create = created
		}
		wantParts(t, want, p)
	}
}

// manyVerdicts is a text with maps of so many elements, to endpoints and to verdicts, that they come in
// parts.
func manyVerdicts(t *testing.T) string {
	return string(emitWith(t, irtest.ManyServices(2*firstPart+10), backends.Options{MasqueradeBit: backends.DefaultMasqueradeBit, NoComments: true}))
}

func wantParts(t *testing.T, want *Model, p *Plan) {
	t.Helper()
	parts := p.parts()
	if len(parts) < 3 {
		t.Fatalf("%d parts", len(parts))
	}
	added := make(map[*Set][]string)
	for i, part := range parts {
		for _, c := range part.changes {
			if i > 0 && (c.create || len(c.newChains)+len(c.newSets) > 0) {
				t.Errorf("part %d adds more than elements", i)
			}
			for j := range c.elems {
				x := &c.elems[j]
				if x.set.verdicts() && i > 0 && !p.changes[0].create {
					t.Errorf("part %d adds verdicts to %s", i, x.set.Name)
				}
				for r := range x.additions() {
					added[x.set] = append(added[x.set], string(r.key))
				}
				if whole := (elemChange{set: x.set, whole: true}); i+1 < len(parts) && whole.divisible(p.changes[0]) && len(added[x.set]) != min(partSizes(p)[i], x.set.Elems.Len()) {
					t.Errorf("set %s has %d elements after part %d", x.set.Name, len(added[x.set]), i)
				}
			}
		}
	}
	for _, table := range want.Tables {
		for _, s := range table.Sets {
			n := 0
			for _, r := range s.Elems.all() {
				if n >= len(added[s]) || added[s][n] != string(r.key) {
					t.Fatalf("set %s: element %d is not added in its place", s.Name, n)
				}
				n++
			}
			if n != len(added[s]) {
				t.Errorf("set %s: %d elements are added, of %d", s.Name, len(added[s]), n)
			}
		}
	}
}

// TestPartsOfVerdicts applies maps to verdicts in parts.
func TestPartsOfVerdicts(t *testing.T) {
	r := newRig(t)
	want := parse(t, manyVerdicts(t))
	r.apply(Diff(r.observe(), want))
	r.verify(want)
}

// TestPartsAreUndone wants nothing to be left where a transaction of another program comes
// between two parts, and a repeated apply to come to its end.
func TestPartsAreUndone(t *testing.T) {
	r := newRig(t)
	want := parse(t, manyElements(t))
	p := Diff(r.observe(), want)
	n := 0
	err := p.inStages(func(part *Plan) (err error) {
		if part.Empty() {
			return nil
		}
		if n++; n == 3 {
			r.nft("add table ip another\n")
		}
		r.do(func() error { err = part.commit(); return nil })
		return err
	})
	if !errors.Is(err, unix.ERESTART) {
		t.Fatalf("another program's transaction was not noticed: %v", err)
	}
	if left := r.observe(); len(left.Tables) > 0 {
		t.Fatal("a part is left")
	}
	// The plan's generation has passed, so it begins again by itself.
	r.apply(p)
	r.verify(want)
}

// TestPartsBesideOthers wants an apply in parts to come to its end beside a program that changes
// the ruleset all the time.
func TestPartsBesideOthers(t *testing.T) {
	r := newRig(t)
	want := parse(t, manyElements(t))
	p := Diff(r.observe(), want)
	stop := r.chatter()
	r.apply(p)
	stop()
	r.verify(want)
}
