package live

import (
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
)

// manyElements is a text with more elements in one map than are read of what a plan made.
func manyElements(t *testing.T) string {
	return string(emitWith(t, irtest.ManyServices(2*sampled/5+100), backends.Options{MasqueradeBit: backends.DefaultMasqueradeBit, NoComments: true}))
}

// made applies a text and returns what was made, and what is wanted.
func (r *rig) made(text string) (*Made, *Model) {
	r.t.Helper()
	want := parse(r.t, text)
	p := Diff(r.observe(), want)
	r.apply(p)
	if p.Made() == nil {
		r.t.Fatal("it is not known what was made")
	}
	return p.Made(), want
}

func (r *rig) observeMade(made *Made) *State {
	r.t.Helper()
	var s *State
	r.do(func() (err error) { s, err = ObserveMade(r.t.Context(), made); return err })
	return s
}

// largest is the set with the most elements.
func largest(m *Model) *Set {
	out := m.Tables[0].Sets[0]
	for _, s := range m.Tables[0].Sets {
		if s.Elems.Len() > out.Elems.Len() {
			out = s
		}
	}
	return out
}

// TestObserveMade wants what was made to be taken as it is, without a reading of all elements,
// and to be equal to what is read.
func TestObserveMade(t *testing.T) {
	r := newRig(t)
	made, want := r.made(manyElements(t))
	s := r.observeMade(made)
	if p := Diff(s, want); !p.Empty() {
		t.Errorf("what was made differs: %v", p.Steps())
	}
	name, count := largest(want).Name, 0
	r.do(func() error {
		c, err := dial()
		if err != nil {
			return err
		}
		defer c.close()
		o := observer{conn: c, family: want.Tables[0].Family}
		table := newTable(o.family)
		err = o.sets(table)
		count = table.sets[name].count
		return err
	})
	if count == 0 {
		t.Skip("this kernel does not count elements")
	}
	if !s.Tables[0].sets[name].Elems.shared(&want.Tables[0].sets[name].Elems) {
		t.Errorf("set %s was read", name)
	}
	r.verify(want)
}

// TestObserveMadeAfterOthers wants any change of another program since to be seen: one that
// keeps the number of elements, one of another table, none of the elements at all.
func TestObserveMadeAfterOthers(t *testing.T) {
	text := manyElements(t)
	for name, c := range map[string]struct {
		change  string
		differs bool
	}{
		"deleted": {"delete element ip planec endpoints { 10.96.0.0 . tcp . 80 . 0 }\n", true},
		"one for another": {"delete element ip planec endpoints { 10.96.0.0 . tcp . 80 . 0 }\n" +
			"add element ip planec endpoints { 10.96.0.0 . tcp . 80 . 0 : 192.0.2.1 . 80 }\n", true},
		"flushed":       {"flush map ip planec endpoints\n", true},
		"another table": {"add table ip another\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			made, want := r.made(text)
			r.nft(c.change)
			s := r.observeMade(made)
			if differs := !Diff(s, want).Empty(); differs != c.differs {
				t.Errorf("a difference: %v", differs)
			}
			if largest(s.Model).Elems.shared(&largest(want).Elems) {
				t.Error("what another program may have changed was taken as made")
			}
		})
	}
}

// TestObserveMadeOtherwise wants elements to be read where the kernel has others than were
// sent, as one would that understands them otherwise.
func TestObserveMadeOtherwise(t *testing.T) {
	r := newRig(t)
	text := manyElements(t)
	made, want := r.made(text)
	other := parse(t, strings.ReplaceAll(text, " . 8080,", " . 8081,"))
	for family := range made.sets {
		made.sets[family] = other.Table(family).sets
	}
	if p := Diff(r.observeMade(made), want); !p.Empty() {
		t.Errorf("what was read differs: %v", p.Steps())
	}
}

// TestNothingIsKnownToBeMade wants nothing to be taken as made of a plan that replaced what it
// had not seen, and of one that changed single elements.
func TestNothingIsKnownToBeMade(t *testing.T) {
	r := newRig(t)
	text := manyElements(t)
	p := diffModels(&Model{}, parse(t, text))
	r.apply(p)
	if p.Made() != nil {
		t.Error("of a plan without an observation")
	}
	p = Diff(r.observe(), parse(t, strings.Replace(text, " . 8080,", " . 8081,", 1)))
	r.apply(p)
	for _, sets := range p.Made().sets {
		for name := range sets {
			t.Errorf("set %s, of which one element changed", name)
		}
	}
}
