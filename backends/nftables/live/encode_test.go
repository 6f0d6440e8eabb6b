package live

import (
	"bytes"
	"math/rand/v2"
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

// TestPlainElements wants elements without ranges to be written as [writer] does, also into memory that is
// not empty: of all kinds of sets, with data of all lengths and without.
func TestPlainElements(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	some := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	for range 2000 {
		s := &Set{KeyLen: uint32(1 + rng.IntN(40))}
		r := record{key: some(int(s.KeyLen)), data: []byte{}, udata: some(rng.IntN(3) * rng.IntN(100))}
		switch rng.IntN(3) {
		case 0:
			s.Flags, s.DataType = setMap, typeVerdict
			r.data = append(some(4), "goto-a-chain-with-a-name"[:rng.IntN(24)]...)
		case 1:
			s.Flags, s.DataType = setMap, typePort
			r.data = some(1 + rng.IntN(20))
		}
		withData := rng.IntN(4) > 0
		room := some(4096)
		got, want := &elemList{encoder: &encoder{writer: writer{b: room[:8]}}}, &elemList{encoder: &encoder{writer: writer{b: bytes.Clone(room[:8])}}}
		got.elem(s, r, withData)
		want.ranged(s, r, withData)
		if !bytes.Equal(got.b, want.b) {
			t.Fatalf("%+v %v: %+v:\n%x\nwant\n%x", s, withData, r, got.b, want.b)
		}
	}
}
