package proof_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/interp"
	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/proofmutants"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var (
	wrong = flag.Int("wrong", 80, "how many wrong artifacts to refute for each backend")
	show  = flag.Bool("show", false, "print the wrong artifacts that are proved")
	aimed = flag.Int("aimed", 1000, "how many packets to aim at each wrong artifact that is proved")
)

// TestMutants proves wrong files: those with one fault in their text, and those of an
// emitter with a fault. Each must be refuted, or not be readable. A fault that changes
// nothing for any packet is proved, and then no packet that is aimed at it may find a
// difference either.
func TestMutants(t *testing.T) {
	for _, b := range registry.All(backends.DefaultOptions()) {
		t.Run(b.Name(), func(t *testing.T) {
			t.Parallel()
			c := mutantCheck{TB: t, backend: b, kinds: make(map[string]*[numFates]int)}
			for seed := *first; (c.total() < *wrong || c.sum()[refuted] < leastRefuted) && seed < *first+1000 && !t.Failed(); seed++ {
				makes := []func(uint64) *ir.Program{cluster, policies, dialects}[seed%3]
				c.program(seed, makes(seed))
			}
			c.report()
		})
	}
}

// leastRefuted is how many mutants of each backend must be refuted: with fewer, the mutants
// ask too little.
const leastRefuted = 40

// fate is what became of a mutant.
type fate int

const (
	refuted fate = iota
	equivalent
	unreadable
	numFates
)

// mutantCheck counts the fates of a backend's mutants.
type mutantCheck struct {
	testing.TB
	backend backends.Backend
	kinds   map[string]*[numFates]int
}

// program proves some mutants of a program.
func (c *mutantCheck) program(seed uint64, p *ir.Program) {
	rng := rand.New(rand.NewPCG(seed, 19))
	right, err := c.backend.Emit(p)
	if err != nil {
		c.Fatalf("seed %d: %v", seed, err)
	}
	for n := range 6 {
		var m proofmutants.Mutant
		ok := false
		if n < 4 {
			m, ok = proofmutants.Of(rng, c.backend.Name(), right)
		} else if m, ok, err = proofmutants.OfEmitter(rng, c.backend, p); err != nil {
			c.Fatalf("seed %d: %v", seed, err)
		}
		if ok {
			c.mutant(fmt.Sprintf("seed %d, mutant %d", seed, n), rng, p, &m)
		}
	}
}

func (c *mutantCheck) mutant(name string, rng *rand.Rand, p *ir.Program, m *proofmutants.Mutant) {
	fates := c.kinds[m.Kind]
	if fates == nil {
		fates = new([numFates]int)
		c.kinds[m.Kind] = fates
	}
	r, err := proof.Artifact(p, c.backend, m.Artifact, 1)
	switch {
	case err != nil:
		fates[unreadable]++
	case len(r.Differences) > 0:
		fates[refuted]++
		c.confirm(name, p, m, &r.Differences[0])
	default:
		fates[equivalent]++
		if *show {
			c.Logf("%s is proved: %v", name, m)
		}
		if packet, reason := c.aim(rng, p, m); reason != "" {
			c.Errorf("%s is proved, but %+v: %s\n%v", name, packet, reason, m)
		}
	}
}

// confirm asks both judges for the counterexample alone.
func (c *mutantCheck) confirm(name string, p *ir.Program, m *proofmutants.Mutant, d *proof.Difference) {
	rules, err := interp.New(c.backend.Name(), m.Artifact, p.Node.Addresses, false)
	if err != nil {
		c.Fatalf("%s: %v", name, err)
	}
	want := eval.New(p).Eval(d.Packet)
	got, err := rules.Eval(d.Packet)
	if err == nil && proof.NewSingle(c.backend, p).Differs(d.Packet, want, got) == "" {
		c.Errorf("%s is refuted with a packet that shows nothing: %+v: %s\n%v", name, d.Packet, d.Reason, m)
	}
}

// aim sends packets at a mutant that is proved, and returns one that shows a difference.
func (c *mutantCheck) aim(rng *rand.Rand, p *ir.Program, m *proofmutants.Mutant) (eval.Packet, string) {
	rules, err := interp.New(c.backend.Name(), m.Artifact, p.Node.Addresses, false)
	if err != nil {
		return eval.Packet{}, err.Error()
	}
	e, single := eval.New(p), proof.NewSingle(c.backend, p)
	states := []eval.State{eval.FirstPacket}
	if b := c.backend.Name(); b == "nftables" || b == "iptables" {
		states = eval.States()
	}
	space, bound := proof.Space(e, states...), rules.Bound()
	for _, packet := range c.packets(rng, p, m, states) {
		if !holds(space, packet) || packet.From != eval.FromNode && slices.Contains(bound, packet.Src) {
			continue
		}
		want := e.Eval(packet)
		if single.Excludes(packet, want) {
			continue
		}
		got, err := rules.Eval(packet)
		if err != nil {
			return packet, err.Error()
		}
		if reason := single.Differs(packet, want, got); reason != "" {
			return packet, reason
		}
	}
	return eval.Packet{}, ""
}

// packets are random packets with the constants of a mutant's place, and for a wrong
// program those that change.
func (c *mutantCheck) packets(rng *rand.Rand, p *ir.Program, m *proofmutants.Mutant, states []eval.State) []eval.Packet {
	at := m.Aim()
	list := interptest.Packets(rng.Uint64(), p, *aimed)
	for i := range list {
		list[i] = at.Packet(rng, list[i])
		if rng.IntN(2) == 0 {
			list[i].State = states[rng.IntN(len(states))]
		}
		list[i].Midstream = i%8 == 0 && list[i].Protocol == ir.TCP
	}
	if m.Wrong == nil {
		return list
	}
	changes, _, err := proof.Changes(p, m.Wrong, 200)
	if err != nil {
		c.Fatal(err)
	}
	for _, change := range changes {
		list = append(list, change.Packet)
	}
	return list
}

// sum returns how many mutants had each fate.
func (c *mutantCheck) sum() (sum [numFates]int) {
	for _, f := range c.kinds {
		for i := range sum {
			sum[i] += f[i]
		}
	}
	return sum
}

func (c *mutantCheck) total() int {
	sum := c.sum()
	return sum[refuted] + sum[equivalent] + sum[unreadable]
}

func (c *mutantCheck) report() {
	for _, kind := range slices.Sorted(maps.Keys(c.kinds)) {
		f := c.kinds[kind]
		c.Logf("%-32s %3d refuted %3d equivalent %3d unreadable", kind, f[refuted], f[equivalent], f[unreadable])
	}
	sum := c.sum()
	c.Logf("%d mutants: %d refuted, %d equivalent (%d packets aimed at each), %d unreadable", c.total(), sum[refuted], sum[equivalent], *aimed, sum[unreadable])
	if sum[refuted] < leastRefuted {
		c.Errorf("only %d were refuted", sum[refuted])
	}
}
