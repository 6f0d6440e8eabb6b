package live

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/iptables"
	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/randomcluster"
)

// wantSamePlan compares the incremental plan with the plan from two complete states.
func wantSamePlan(t *testing.T, before, after backends.Artifact) {
	t.Helper()
	got, err := difference(before, after)
	if err != nil {
		t.Fatal(err)
	}
	have, err := Parse(before)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Parse(after)
	if err != nil {
		t.Fatal(err)
	}
	p := NewPlan(have, want)
	for _, x := range []struct {
		name      string
		got, want []byte
	}{{"sets before", got.setsBefore, p.setsBefore}, {"IPv4", got.ipv4, p.ipv4}, {"IPv6", got.ipv6, p.ipv6}, {"sets after", got.setsAfter, p.setsAfter}} {
		if !bytes.Equal(x.got, x.want) {
			t.Fatalf("%s:\n%s\nwant:\n%s", x.name, x.got, x.want)
		}
	}
	if !slices.Equal(got.Steps(), p.Steps()) {
		t.Fatalf("steps %q, want %q", got.Steps(), p.Steps())
	}
}

// difference plans the change from one artifact of a backend to another without
// reading the kernel. It compares bytes and parses only the chains and sets that
// differ. Both artifacts must be as planec's emitters write them.
func difference(before, after backends.Artifact) (*Plan, error) {
	have, want, err := differingStates(before, after)
	if err != nil {
		return nil, err
	}
	return NewPlan(have, want), nil
}

// TestDifference changes between golden cases, and between programs that differ
// only slightly.
func TestDifference(t *testing.T) {
	all := artifacts(t)
	names := sortedKeys(all)
	for i, name := range names {
		for _, j := range []int{0, i, (i + 1) % len(names), (i + 37) % len(names)} {
			wantSamePlan(t, all[name], all[names[j]])
		}
	}
	emitters := []backends.Backend{iptables.New(backends.DefaultOptions()), ipvs.New(backends.DefaultOptions())}
	for _, b := range emitters {
		t.Run(b.Name(), func(t *testing.T) {
			for seed := range uint64(100) {
				c := randomcluster.New(seed / 2)
				set, other := c.Objects, randomcluster.New(seed+1000).Objects
				emit := func() backends.Artifact {
					p, _ := compiler.Compile(compiler.Input{Objects: &set, Node: randomcluster.Node, Config: c.Config})
					a, err := b.Emit(p)
					if err != nil {
						t.Fatal(err)
					}
					return a
				}
				rng := rand.New(rand.NewPCG(seed, 3))
				before := emit()
				set.EndpointSlices = slices.Clone(set.EndpointSlices)
				set.EndpointSlices[rng.IntN(len(set.EndpointSlices))] = other.EndpointSlices[rng.IntN(len(other.EndpointSlices))]
				if seed%3 == 0 {
					set.Services = slices.Delete(slices.Clone(set.Services), 0, 1)
				}
				after := emit()
				wantSamePlan(t, before, after)
				wantSamePlan(t, after, before)
			}
		})
	}
}

// TestDifferenceOfPieces wants files that no emitter writes to be read completely.
func TestDifferenceOfPieces(t *testing.T) {
	file := func(rules string) backends.Artifact {
		return backends.Artifact{Files: []backends.File{{Name: "iptables.rules", Data: []byte("*nat\n:PLC-A - [0:0]\n:PLC-B - [0:0]\n" + rules + "COMMIT\n")}}}
	}
	wantSamePlan(t, file("-A PLC-A -j ONE\n-A PLC-B -j TWO\n-A PLC-A -j THREE\n"), file("-A PLC-A -j ONE\n-A PLC-B -j TWO\n-A PLC-A -j FOUR\n"))
	wantSamePlan(t, file("-A PLC-A -j ONE\n-A PLC-B -j TWO\n"), file("-A PLC-B -j TWO\n"))
	wantSamePlan(t, file("-A PLC-B -j TWO\n"), file("-A PLC-A -j ONE\n-A PLC-B -j TWO\n"))
}

// BenchmarkDifference is one endpoint replaced among many Services.
func BenchmarkDifference(b *testing.B) {
	for _, n := range []int{10000, 30000} {
		b.Run(fmt.Sprintf("%dx5", n), func(b *testing.B) {
			set := clustergen.Objects(clustergen.Size{Services: n, Endpoints: 5})
			p, _ := compiler.Compile(compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name})
			emitter := iptables.New(backends.DefaultOptions())
			before, err := emitter.Emit(p)
			if err != nil {
				b.Fatal(err)
			}
			p.Pools[n/2].Endpoints[2].Address = irtest.Pool("x", "10.127.0.1:8080").Endpoints[0].Address
			after, err := emitter.Emit(p)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if plan, err := difference(before, after); err != nil || plan.Empty() {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkParse reads all files of an artifact, as an observation reads what the
// tools print.
func BenchmarkParse(b *testing.B) {
	set := clustergen.Objects(clustergen.Size{Services: 10000, Endpoints: 5})
	p, _ := compiler.Compile(compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name})
	for _, emitter := range []backends.Backend{iptables.New(backends.DefaultOptions()), ipvs.New(backends.DefaultOptions())} {
		b.Run(emitter.Name(), func(b *testing.B) {
			a, err := emitter.Emit(p)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := Parse(a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
