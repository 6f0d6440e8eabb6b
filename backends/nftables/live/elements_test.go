package live

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// TestElementsReplaced replaces elements over and over, as changes of endpoints do: it finds
// what it should, and no search gets longer by it.
func TestElementsReplaced(t *testing.T) {
	const keys, changes = 300, 20000
	e := Elements{keyLen: 4}
	data := make(map[uint32]uint32)
	key := func(k uint32) []byte { return binary.BigEndian.AppendUint32(nil, k) }
	for k := range uint32(keys) {
		e.append(record{key: key(k), data: key(k)})
		data[k] = k
	}
	if twice := e.index(); twice != nil {
		t.Fatalf("key %x twice", twice)
	}
	slots := len(e.slots)
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range uint32(changes) {
		k := rng.Uint32N(keys) % (1 + rng.Uint32N(keys)) // some keys much more often
		e.remove(key(k))
		delete(data, k)
		if rng.Uint32N(8) == 0 { // it stays away for a while
			k = rng.Uint32N(keys)
			e.remove(key(k))
		}
		e.add(record{key: key(k), data: key(n)})
		data[k] = n
		if e.Len() != len(data) {
			t.Fatalf("change %d: %d elements, want %d", n, e.Len(), len(data))
		}
	}
	for k := range uint32(keys) {
		r, found := e.get(key(k))
		if want, ok := data[k]; found != ok || ok && binary.BigEndian.Uint32(r.data) != want {
			t.Errorf("key %d: %x, %v, want %x, %v", k, r.data, found, want, ok)
		}
	}
	if e.used > keys+keys/10 || len(e.slots) > slots {
		t.Errorf("%d of %d slots are not free, for %d keys", e.used, len(e.slots), keys)
	}
}
