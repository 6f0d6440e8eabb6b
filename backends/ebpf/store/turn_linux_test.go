package store

import "testing"

// TestTurnOfAnother has a second writer prepare a transaction and die before it commits. A writer that
// has the maps open since before must be able to tell: the number of its next transaction would commit what
// the other one has prepared.
func TestTurnOfAnother(t *testing.T) {
	m := newMaps(t, sizes{8, 16, 64})
	first := open(t, m)
	commit(t, first, all(4, 1, 2))
	if err := first.Settle(); err != nil {
		t.Fatal(err)
	}
	left := first.Active()

	second := open(t, m)
	if _, err := second.prepare(all(2, 9, 3)); err != nil { // and it is killed here
		t.Fatal(err)
	}
	if first.Active() != left {
		return // the first one knows
	}
	commit(t, first, []Change{{keyOf(3), versioned(3, 2, 2)}})
	for key, v := range content(t, first) {
		if v.Affinity == 9 {
			t.Errorf("%v has what was never committed", key)
		}
	}
	t.Error("nothing tells that another process has prepared a transaction")
}
