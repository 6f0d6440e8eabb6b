package live

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// randomRanges are ranges that do not overlap, between 16 places of all IPv4
// addresses. Neighbours may touch, with data that differs, and both ends of the
// address space are in use.
func randomRanges(rng *rand.Rand) []string {
	var list []string
	for at := 0; at < 16; {
		n := 1 + rng.IntN(3)
		if to := min(at+n, 16); rng.IntN(3) > 0 {
			first, last := uint32(at)<<28, uint32(uint64(to)<<28-1)
			if rng.IntN(4) == 0 {
				last = first
			}
			list = append(list, dotted(first)+"-"+dotted(last))
			if first == last {
				list[len(list)-1] = dotted(first)
			}
		}
		at += n
	}
	return list
}

func dotted(a uint32) string { return fmt.Sprintf("%d.%d.%d.%d", a>>24, a>>16&255, a>>8&255, a&255) }

// rangesText has a set, a map and a set of concatenations with ranges.
func rangesText(rng *rand.Rand) string {
	set, data, concat := randomRanges(rng), randomRanges(rng), []string(nil)
	for i := range data {
		data[i] += fmt.Sprintf(" : 1:%x", 1+rng.IntN(3))
	}
	for _, service := range []string{"10.0.0.1 . tcp . 80 . ", "10.0.0.1 . udp . 80 . "} {
		for _, r := range randomRanges(rng) {
			concat = append(concat, service+r)
		}
	}
	return inTable(elementsOf("set service-cidrs", "ipv4_addr", set) + elementsOf("map networks", "ipv4_addr : classid", data) +
		elementsOf("set source-ranges", "ipv4_addr . inet_proto . inet_service . ipv4_addr", concat))
}

func elementsOf(set, of string, elements []string) string {
	text := "\t" + set + " {\n\t\ttype " + of + "\n\t\tflags interval\n"
	if len(elements) > 0 {
		text += "\t\telements = {\n\t\t\t" + strings.Join(elements, ",\n\t\t\t") + "\n\t\t}\n"
	}
	return text + "\t}\n\n"
}

// TestRanges changes sets with ranges, also such that nft has made.
func TestRanges(t *testing.T) {
	r, fresh := newRig(t), newRig(t)
	rng := rand.New(rand.NewPCG(6, 6))
	for i := range 150 {
		text := rangesText(rng)
		want := parse(t, text)
		fresh.nft(text)
		fresh.verify(want)
		if i%10 == 0 {
			r.nft(rangesText(rng))
		}
		have := r.observe()
		p := Diff(have, want)
		for _, c := range p.changes {
			if c.remove {
				t.Fatalf("the table is replaced: %s", c.why)
			}
		}
		r.apply(p)
		r.verify(want)
		if d := cmp.Diff(fresh.list(), r.list()); d != "" {
			t.Fatalf("-nft +netlink:\n%s", d)
		}
	}
}
