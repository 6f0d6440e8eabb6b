package live

import (
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
)

// TestEncodedSize wants a large transaction to get the memory that it needs at once, and not a
// multiple of it: whole, in its parts, with the names of Services and without.
func TestEncodedSize(t *testing.T) {
	p := irtest.ManyServices(4000)
	for _, named := range []bool{true, false} {
		o := backends.DefaultOptions()
		o.NoComments = !named
		plan := Diff(&State{Model: &Model{}}, parse(t, string(emitWith(t, p, o))))
		parts := append([]*Plan{plan}, plan.parts()...)
		if len(parts) < 3 {
			t.Fatalf("%d parts, so there is none to look at", len(parts)-1)
		}
		for i, part := range parts {
			room := part.encodedSize()
			batch, _ := part.encode()
			if len(batch) > room || 2*len(batch) < room {
				t.Errorf("names %v, part %d: %d bytes, in memory for %d", named, i, len(batch), room)
			}
		}
	}
}
