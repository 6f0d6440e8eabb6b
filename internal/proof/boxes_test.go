package proof_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/interp"
	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

var inBoxes = flag.Int("boxes", 2, "how many random programs of each kind to ask about single packets of their boxes")

// TestBoxes holds what a proof rests on: all packets of a final box get what the box got,
// from the program and from the files, and each packet is in exactly one box. It asks both
// judges for the lowest, the highest and a random packet of every box, and finds the boxes
// of packets that are aimed at the program.
func TestBoxes(t *testing.T) {
	for _, b := range registry.All(backends.DefaultOptions()) {
		for kind, makes := range map[string]func(uint64) *ir.Program{"cluster": cluster, "policies": policies, "dialects": dialects} {
			t.Run(b.Name()+"/"+kind, func(t *testing.T) {
				t.Parallel()
				boxes, packets := 0, 0
				for seed := *first; seed < *first+uint64(*inBoxes); seed++ {
					p := makes(seed)
					c := newBoxCheck(t, fmt.Sprintf("seed %d", seed), b, p)
					c.walk(rand.New(rand.NewPCG(seed, 17)))
					c.locate(interptest.Packets(seed, p, 100))
					boxes, packets = boxes+len(c.parts), packets+c.packets
				}
				t.Logf("%d programs, %d boxes, %d packets of them", *inBoxes, boxes, packets)
			})
		}
	}
}

// part is a final box with its results.
type part struct {
	box       space.Box
	want, got eval.Result
	err       error
}

// boxCheck compares boxes with their packets.
type boxCheck struct {
	testing.TB
	name    string
	meaning *eval.Evaluator
	rules   interp.Interpreter
	parts   []part
	packets int
}

func newBoxCheck(t testing.TB, name string, b backends.Backend, p *ir.Program) *boxCheck {
	t.Helper()
	a, err := b.Emit(p)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	rules, err := interp.New(b.Name(), a, p.Node.Addresses, false)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return &boxCheck{TB: t, name: name, meaning: eval.New(p), rules: rules}
}

// walk divides the whole space as a proof does, in all states of connections: whether a
// backend decides about them or not, a box and its packets must agree.
func (c *boxCheck) walk(rng *rand.Rand) {
	space.Walk(proof.Space(c.meaning, eval.States()...), func(p *space.Packets) bool {
		want := c.meaning.EvalAll(p)
		if err := p.Err(); err != nil {
			c.Fatalf("%s: %v", c.name, err)
		}
		space.Walk([]space.Box{p.Box()}, func(q *space.Packets) bool {
			got, err := c.rules.EvalAll(q)
			if undecided := q.Err(); undecided != nil {
				c.Fatalf("%s: %v", c.name, undecided)
			}
			c.parts = append(c.parts, part{q.Box(), want, got, err})
			c.members(rng, &c.parts[len(c.parts)-1])
			return !c.Failed()
		})
		return !c.Failed()
	})
}

// members asks for three packets of a box.
func (c *boxCheck) members(rng *rand.Rand, at *part) {
	random := func(s space.Set) space.Number { return randomMember(rng, s) }
	for _, choose := range []func(space.Set) space.Number{space.Set.Least, greatest, random} {
		p, ok := packetIn(&at.box, choose)
		if ok {
			c.ask(p, at)
		}
	}
}

// ask compares what a packet gets alone with what its box got.
func (c *boxCheck) ask(p eval.Packet, at *part) {
	c.packets++
	if d := difference(at.want, c.meaning.Eval(p)); d != "" {
		c.Errorf("%s: the program says to %+v something else than to its box: %s", c.name, p, d)
	}
	got, err := c.rules.Eval(p)
	if (err != nil) != (at.err != nil) {
		c.Errorf("%s: the files say to %+v %v, to its box %v", c.name, p, err, at.err)
	}
	if d := difference(at.got, got); d != "" && err == nil {
		c.Errorf("%s: the files do with %+v something else than with its box: %s", c.name, p, d)
	}
}

// locate finds the box of each packet.
func (c *boxCheck) locate(packets []eval.Packet) {
	whole := proof.Space(c.meaning, eval.States()...)
	for _, p := range packets {
		if !holds(whole, p) {
			continue // from an address that no packet comes from
		}
		var found []*part
		values := valuesOf(p)
		for i := range c.parts {
			if box := &c.parts[i].box; box.IPv6 == p.Dst.Is6() && box.Contains(&values) {
				found = append(found, &c.parts[i])
			}
		}
		if len(found) != 1 {
			c.Errorf("%s: %+v is in %d boxes", c.name, p, len(found))
			continue
		}
		c.ask(p, found[0])
	}
}

// difference returns two results that are not alike in all but the words about them.
func difference(a, b eval.Result) string {
	if a.Verdict == b.Verdict && a.Masquerade == b.Masquerade && a.Affinity == b.Affinity && a.Frontend == b.Frontend &&
		slices.Equal(a.Endpoints, b.Endpoints) && slices.Equal(a.Denied, b.Denied) && slices.Equal(a.Logs, b.Logs) {
		return ""
	}
	a.Steps, b.Steps = nil, nil
	return fmt.Sprintf("%+v instead of %+v", b, a)
}

// packetIn returns the packet of the chosen members. It is none of the box if the box has
// only numbers that are no names of interfaces.
func packetIn(b *space.Box, choose func(space.Set) space.Number) (eval.Packet, bool) {
	one := space.Box{IPv6: b.IPv6, Sets: b.Sets}
	for f := range one.Sets {
		n := choose(b.Sets[f])
		if space.Field(f) == space.Interface {
			n = space.Name(n.Name())
		}
		if b.Sets[f].Contains(n) {
			one.Sets[f] = space.Point(n)
		}
	}
	p := eval.Representative(&one)
	return p, contains(b, p)
}

func holds(boxes []space.Box, p eval.Packet) bool {
	for i := range boxes {
		if contains(&boxes[i], p) {
			return true
		}
	}
	return false
}

func contains(b *space.Box, p eval.Packet) bool {
	values := valuesOf(p)
	return b.IPv6 == p.Dst.Is6() && b.Contains(&values)
}

// valuesOf returns the values of a packet's fields.
func valuesOf(p eval.Packet) (values [space.Fields]space.Number) {
	b := p.Box()
	for f := range b.Sets {
		values[f] = b.Sets[f].Least()
	}
	return values
}

// greatest returns the highest member that it can tell.
func greatest(s space.Set) space.Number {
	list, _ := s.Intervals()
	if last := list[len(list)-1].Last; s.Contains(last) {
		return last
	}
	return s.Least()
}

// randomMember returns a member of a random interval of the set.
func randomMember(rng *rand.Rand, s space.Set) space.Number {
	list, _ := s.Intervals()
	i := list[rng.IntN(len(list))]
	for range 8 {
		from := numberIn(rng, i)
		upper := space.Of(space.Interval{First: from, Last: i.Last})
		if in, _ := s.Split(&upper); !in.Empty() {
			return in.Least()
		}
	}
	return s.Least()
}

// numberIn returns a number of an interval: one of random bits below the highest bit in
// which its ends differ.
func numberIn(rng *rand.Rand, i space.Interval) space.Number {
	host := space.Number{}
	for bits := 1; bits <= 128 && i.First.Without(host) != i.Last.Without(host); bits++ {
		host = space.Highest(bits)
	}
	for range 64 {
		n := i.First.Without(host).Or(space.Number{Hi: rng.Uint64(), Lo: rng.Uint64()}.And(host))
		if i.Contains(n) {
			return n
		}
	}
	return i.First
}
