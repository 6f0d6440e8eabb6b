package ebpf

import (
	"crypto/sha256"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// TestIdentitiesAreCodes wants the identities that identity.Codes gives to the same contents, in any
// order of calls, with hashes that collide and without, for more Service ports than there is room for.
func TestIdentitiesAreCodes(t *testing.T) {
	for name, hash := range map[string]identity.Hash{
		"SHA-256": nil,
		"weak": func(b []byte) (sum [sha256.Size]byte) {
			sum[7] = byte(len(b)) // neighbours run into each other
			return sum
		},
	} {
		rng := rand.New(rand.NewPCG(1, 2))
		ids, codes := newIdentities(3, hash), identity.Codes{Hash: hash}
		for range 3000 {
			s := ir.ServicePort{Namespace: "ns", Name: "s" + strconv.Itoa(rng.IntN(500)), Protocol: ir.TCP}
			if got, want := ids.of(&s), codes.Of(string(appendServicePort(nil, &s)), nil); got != want {
				t.Fatalf("%s: %v has the identity %x, want %x", name, s, got, want)
			}
		}
	}
}

// TestContents wants a part where its bytes were first, however many parts there are.
func TestContents(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	c, first := newContents(2), make(map[string]int)
	var data []byte
	for range 5000 {
		from := len(data)
		for range rng.IntN(4) {
			data = append(data, byte(rng.IntN(12)))
		}
		content := string(data[from:])
		want, known := first[content]
		if !known {
			first[content], want = from, from
		}
		if got := c.put(data, from); got != want {
			t.Fatalf("%x is at %d, want %d", content, got, want)
		}
		if known {
			data = data[:from]
		}
	}
}

// TestRoutes finds the pools of frontends in any order of both, and says which one is not there.
func TestRoutes(t *testing.T) {
	p := irtest.KitchenSink()
	rng := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		rng.Shuffle(len(p.Pools), func(i, j int) { p.Pools[i], p.Pools[j] = p.Pools[j], p.Pools[i] })
		rng.Shuffle(len(p.Frontends), func(i, j int) { p.Frontends[i], p.Frontends[j] = p.Frontends[j], p.Frontends[i] })
		routes, err := new(backends.Routes).Of(p)
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range routes {
			f := &p.Frontends[i]
			if p.Pools[at[0]].ID != f.Internal.Pool || p.Pools[at[1]].ID != f.External.Pool {
				t.Fatalf("frontend %v has the pools %v", f.Match, at)
			}
		}
	}
	p.Frontends[0].Internal.Pool = "none"
	if _, err := new(backends.Routes).Of(p); err == nil {
		t.Error("a pool that does not exist is found")
	}
}
