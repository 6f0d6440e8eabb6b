package proofmutants

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

// fault is what a wrong emitter reads in another way.
type fault struct {
	name string
	// change changes the program, or does nothing if it has no place for the fault.
	change func(rng *rand.Rand, p *ir.Program)
}

var faults = []fault{
	{"routes exchanged", func(rng *rand.Rand, p *ir.Program) {
		onFrontend(rng, p, func(f *ir.Frontend) { f.Internal, f.External = f.External, f.Internal })
	}},
	{"another masquerade", func(rng *rand.Rand, p *ir.Program) {
		onRoute(rng, p, func(r *ir.Route) { r.Masquerade = pick(rng, ir.MasqueradeRules()) })
	}},
	{"another refusal", func(rng *rand.Rand, p *ir.Program) {
		onRoute(rng, p, func(r *ir.Route) { r.OnEmpty = pick(rng, ir.Refusals()) })
	}},
	{"another pool", func(rng *rand.Rand, p *ir.Program) {
		onFrontend(rng, p, func(f *ir.Frontend) { f.Internal.Pool, f.External.Pool = f.External.Pool, f.Internal.Pool })
	}},
	{"another affinity", func(rng *rand.Rand, p *ir.Program) {
		onFrontend(rng, p, func(f *ir.Frontend) { f.Affinity = pick(rng, []uint32{0, f.Affinity + 1, 10800}) })
	}},
	{"no source ranges", func(rng *rand.Rand, p *ir.Program) {
		onFrontend(rng, p, func(f *ir.Frontend) { f.SourceRanges = nil })
	}},
	{"an endpoint lost", func(rng *rand.Rand, p *ir.Program) {
		onPool(rng, p, func(pool *ir.Pool, i int) { pool.Endpoints = slices.Delete(pool.Endpoints, i, i+1) })
	}},
	{"another weight", func(rng *rand.Rand, p *ir.Program) {
		onPool(rng, p, func(pool *ir.Pool, i int) { pool.Endpoints[i].Weight++ })
	}},
	{"a remote endpoint", func(rng *rand.Rand, p *ir.Program) {
		onPool(rng, p, func(pool *ir.Pool, i int) { pool.Endpoints[i].Local = !pool.Endpoints[i].Local })
	}},
	{"a frontend lost", func(rng *rand.Rand, p *ir.Program) {
		if n := len(p.Frontends); n > 0 {
			i := rng.IntN(n)
			p.Frontends = slices.Delete(p.Frontends, i, i+1)
		}
	}},
	{"a rule lost", func(rng *rand.Rand, p *ir.Program) {
		onRule(rng, p, func(t *ir.Tier, i int) { t.Rules = slices.Delete(t.Rules, i, i+1) })
	}},
	{"another action", func(rng *rand.Rand, p *ir.Program) {
		onRule(rng, p, func(t *ir.Tier, i int) {
			if a := t.Rules[i].Action; a == ir.Accept || a == ir.Deny {
				t.Rules[i].Action = ir.Accept + ir.Deny - a
			}
		})
	}},
	{"rules exchanged", func(rng *rand.Rand, p *ir.Program) {
		onRule(rng, p, func(t *ir.Tier, i int) {
			if i > 0 {
				t.Rules[i], t.Rules[i-1] = t.Rules[i-1], t.Rules[i]
			}
		})
	}},
	{"no excluded peers", func(rng *rand.Rand, p *ir.Program) {
		onRule(rng, p, func(t *ir.Tier, i int) { t.Rules[i].NotPeers = nil })
	}},
	{"tiers exchanged", func(rng *rand.Rand, p *ir.Program) {
		onTiers(rng, p, func(list []ir.Tier) {
			if len(list) > 1 {
				i := 1 + rng.IntN(len(list)-1)
				// Kinds stay where they must be.
				list[i].Rules, list[i-1].Rules = list[i-1].Rules, list[i].Rules
			}
		})
	}},
	{"another default", func(rng *rand.Rand, p *ir.Program) {
		onTiers(rng, p, func(list []ir.Tier) {
			if t := &list[rng.IntN(len(list))]; t.Default == ir.Deny {
				t.Default, t.Isolating, t.OwnNode = ir.Pass, nil, false
			}
		})
	}},
	{"directions exchanged", func(rng *rand.Rand, p *ir.Program) {
		if n := len(p.Policy.Profiles); n > 0 {
			x := &p.Policy.Profiles[rng.IntN(n)]
			x.Ingress, x.Egress = x.Egress, x.Ingress
		}
	}},
	{"no masquerade of the node", func(_ *rand.Rand, p *ir.Program) { p.Masquerade = ir.Masquerade{} }},
	{"no local pods", func(_ *rand.Rand, p *ir.Program) { p.Node.Local = ir.LocalDetector{Mode: ir.DetectNone} }},
}

// Program returns a copy of the program as a wrong emitter might read it, with the name of
// the fault. It reports false if it found nothing to change; the copy is well formed.
func Program(rng *rand.Rand, p *ir.Program) (wrong *ir.Program, name string, ok bool) {
	right, err := json.Marshal(p)
	if err != nil {
		return nil, "", false
	}
	for range tries {
		f := pick(rng, faults)
		var out ir.Program
		if json.Unmarshal(right, &out) != nil {
			return nil, "", false
		}
		f.change(rng, &out)
		out.Normalize()
		if now, err := json.Marshal(&out); err == nil && string(now) != string(right) && ir.Verify(&out) == nil {
			return &out, f.name, true
		}
	}
	return nil, "", false
}

func onFrontend(rng *rand.Rand, p *ir.Program, change func(*ir.Frontend)) {
	if n := len(p.Frontends); n > 0 {
		change(&p.Frontends[rng.IntN(n)])
	}
}

func onRoute(rng *rand.Rand, p *ir.Program, change func(*ir.Route)) {
	onFrontend(rng, p, func(f *ir.Frontend) { change(pick(rng, []*ir.Route{&f.Internal, &f.External})) })
}

func onPool(rng *rand.Rand, p *ir.Program, change func(*ir.Pool, int)) {
	for range tries {
		if len(p.Pools) == 0 {
			return
		}
		if pool := &p.Pools[rng.IntN(len(p.Pools))]; len(pool.Endpoints) > 0 {
			change(pool, rng.IntN(len(pool.Endpoints)))
			return
		}
	}
}

func onTiers(rng *rand.Rand, p *ir.Program, change func([]ir.Tier)) {
	if len(p.Policy.Profiles) == 0 {
		return
	}
	x := &p.Policy.Profiles[rng.IntN(len(p.Policy.Profiles))]
	if list := pick(rng, [][]ir.Tier{x.Ingress, x.Egress}); len(list) > 0 {
		change(list)
	}
}

func onRule(rng *rand.Rand, p *ir.Program, change func(*ir.Tier, int)) {
	onTiers(rng, p, func(list []ir.Tier) {
		if t := &list[rng.IntN(len(list))]; len(t.Rules) > 0 {
			change(t, rng.IntN(len(t.Rules)))
		}
	})
}

// OfEmitter returns what a wrong emitter makes of a program: a backend that reads one thing
// in another way than it should.
func OfEmitter(rng *rand.Rand, b backends.Backend, p *ir.Program) (Mutant, bool, error) {
	wrong, name, ok := Program(rng, p)
	if !ok {
		return Mutant{}, false, nil
	}
	a, err := b.Emit(wrong)
	if err != nil {
		return Mutant{}, false, fmt.Errorf("emitting a program with the fault %q: %w", name, err)
	}
	return Mutant{Kind: "emitter: " + name, Artifact: a, Wrong: wrong}, true, nil
}
