package space_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/ir/space"
)

// small is a space of few values, so that tests can list every packet.
func small() space.Box {
	var b space.Box
	for f := range b.Sets {
		b.Sets[f] = space.Point(space.N(0))
	}
	b.Sets[space.Source], b.Sets[space.Destination], b.Sets[space.Port] = space.Every(4), space.Every(4), space.Every(3)
	return b
}

// question is a random question about one packet, or about many.
type question func(*space.Packets) bool

func interval(rng *rand.Rand, most uint64) space.Interval {
	a, b := rng.Uint64N(most), rng.Uint64N(most)
	return space.Interval{First: space.N(min(a, b)), Last: space.N(max(a, b))}
}

func randomQuestion(rng *rand.Rand) question {
	f := []space.Field{space.Source, space.Destination, space.Port}[rng.IntN(3)]
	switch rng.IntN(4) {
	case 0:
		s := space.Of(interval(rng, 16), interval(rng, 16))
		return func(p *space.Packets) bool { return p.In(f, &s) }
	case 1:
		mask := rng.Uint64N(16)
		value := mask & rng.Uint64()
		return func(p *space.Packets) bool { return p.Masked(f, space.N(mask), space.N(value)) }
	case 2:
		n := space.N(rng.Uint64N(16))
		return func(p *space.Packets) bool { return p.Is(f, n) }
	}
	var t space.Table
	for n := range rng.IntN(12) {
		t.Add([]space.Interval{interval(rng, 16), interval(rng, 16), interval(rng, 8)}, rng.IntN(3), n%4)
	}
	last := space.Known(space.N(rng.Uint64N(8)))
	if rng.IntN(2) == 0 {
		last = space.Port.Value()
	}
	want := rng.IntN(4)
	return func(p *space.Packets) bool {
		got, ok := t.Find(p, space.Source.Value(), space.Destination.Value(), last)
		return ok && got == want
	}
}

// TestWalk asks random questions of a whole space and of each of its packets: the boxes
// must divide the space, and have the answers of all of their packets.
func TestWalk(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		questions := make([]question, 1+rng.IntN(6))
		for i := range questions {
			questions[i] = randomQuestion(rng)
		}
		ask := func(p *space.Packets) string {
			answers := make([]byte, len(questions))
			for i, q := range questions {
				answers[i] = 'n'
				if q(p) {
					answers[i] = 'y'
				}
			}
			if err := p.Err(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			return string(answers)
		}
		type part struct {
			box     space.Box
			answers string
		}
		var parts []part
		space.Walk([]space.Box{small()}, func(p *space.Packets) bool {
			answers := ask(p)
			parts = append(parts, part{p.Box(), answers})
			return true
		})
		for n := range uint64(16 * 16 * 8) {
			var values [space.Fields]space.Number
			values[space.Source], values[space.Destination], values[space.Port] = space.N(n%16), space.N(n/16%16), space.N(n/16/16)
			var one space.Box
			for f := range one.Sets {
				one.Sets[f] = space.Point(values[f])
			}
			holds := func(p part) bool { return p.box.Contains(&values) }
			at := slices.IndexFunc(parts, holds)
			if at < 0 || slices.ContainsFunc(parts[at+1:], holds) {
				t.Fatalf("seed %d: %v is in no box, or in two", seed, values)
			}
			if want := ask(space.New(one)); parts[at].answers != want {
				t.Fatalf("seed %d: %v: the box says %s, the packet %s", seed, values, parts[at].answers, want)
			}
		}
	}
}

// TestLeast compares the lowest member with a search.
func TestLeast(t *testing.T) {
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 2))
		s := space.Of(interval(rng, 512), interval(rng, 512))
		for range 1 + rng.IntN(3) {
			mask := rng.Uint64N(512)
			in, out := s.SplitMask(space.N(mask), space.N(mask&rng.Uint64()))
			if s = in; rng.IntN(2) == 0 {
				s = out
			}
		}
		least := uint64(0)
		for ; least < 512 && !s.Contains(space.N(least)); least++ {
		}
		if s.Empty() != (least == 512) || least < 512 && s.Least() != space.N(least) {
			t.Errorf("seed %d: least is not %d, or empty %v", seed, least, s.Empty())
		}
	}
}

// TestTableKeepsTogether wants no more parts than there are values.
func TestTableKeepsTogether(t *testing.T) {
	var table space.Table
	for n := range uint64(1000) {
		i := space.Interval{First: space.N(7 * n), Last: space.N(7 * n)}
		table.Add([]space.Interval{i}, 0, int(n%3))
	}
	b := small()
	b.Sets[space.Source] = space.Every(32)
	parts := 0
	space.Walk([]space.Box{b}, func(p *space.Packets) bool {
		table.Find(p, space.Source.Value())
		parts++
		return true
	})
	if parts != 4 {
		t.Errorf("%d parts, want one for each of 3 values and one for the rest", parts)
	}
}

// TestNumbers has the numbers of addresses and names.
func TestNumbers(t *testing.T) {
	for _, text := range []string{"10.1.2.3", "255.255.255.255", "::1", "2001:db8::ff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"} {
		a := netip.MustParseAddr(text)
		if got := space.Addr(a).Addr(!a.Is4()); got != a {
			t.Errorf("%v came back as %v", a, got)
		}
	}
	if got := space.Name("cali0123456789a").Name(); got != "cali0123456789a" {
		t.Errorf("name %q", got)
	}
	names := space.Names("cali")
	for name, want := range map[string]bool{"cali": true, "cali1": true, "calj": false, "cal": false, "": false} {
		if names.Contains(space.Name(name)) != want {
			t.Errorf("%q begins with cali: want %v", name, want)
		}
	}
	for _, text := range []string{"0.0.0.0/0", "10.0.0.0/8", "10.1.2.3/32", "::/0", "fd00::/64", "::1/128"} {
		p := netip.MustParsePrefix(text)
		i := space.Prefix(p)
		if i.First.Addr(p.Addr().Is6()) != p.Addr() || !p.Contains(i.Last.Addr(p.Addr().Is6())) {
			t.Errorf("%v is %v to %v", p, i.First, i.Last)
		}
	}
}
