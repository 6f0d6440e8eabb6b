package nftables

import (
	"math/rand/v2"
	"net/netip"
	"strconv"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
)

// TestLengths wants lengths that are computed to be those of what is written.
func TestLengths(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 3))
	sum := 0
	for n := range 12000 {
		if got := digitsBelow(n); got != sum {
			t.Fatalf("%d digits below %d, want %d", got, n, sum)
		}
		text := strconv.Itoa(n)
		if sum += len(text); digits(uint32(n)) != len(text) {
			t.Fatalf("%d digits of %s", digits(uint32(n)), text)
		}
		if got := string(appendNumber(nil, uint32(n))); got != text {
			t.Fatalf("%s, want %s", got, text)
		}
		v4 := &table{family: family{longest: 1}}
		a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.IntN(12)), byte(rng.IntN(101))}), uint16(rng.Uint32()>>rng.IntN(16)))
		if text := string(appendEndpoint(nil, a)); v4.endpointLen(a) != len(text) {
			t.Fatalf("%d is the length of %s", v4.endpointLen(a), text)
		}
	}
}

// TestTextRoom wants a text to get the memory that it needs, at once.
func TestTextRoom(t *testing.T) {
	p := irtest.ManyServices(2000)
	for _, comments := range []bool{true, false} {
		a, err := New(backends.Options{MasqueradeBit: backends.DefaultMasqueradeBit, NoComments: !comments}).Emit(p)
		if err != nil {
			t.Fatal(err)
		}
		// Between the text and its memory are what a table and its sets may have more, and the
		// allocator's own steps, of an eighth at most.
		text := a.Files[0].Data
		if room := cap(text); room > len(text)+len(text)/8+8192 {
			t.Errorf("comments %v: %d bytes in memory for %d", comments, room, len(text))
		}
	}
}
