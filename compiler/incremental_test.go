package compiler_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
)

// history is a cluster whose objects come, change and go.
type history struct {
	*rand.Rand
	services map[string]objects.Sourced[*corev1.Service]
	slices   map[string]objects.Sourced[*discoveryv1.EndpointSlice]
	others   objects.Set
	config   objects.Config
	// variants are what objects may change to: those of other clusters.
	variants []objects.Set
}

func newHistory(seed uint64) *history {
	c := randomcluster.New(seed)
	h := &history{
		Rand: rand.New(rand.NewPCG(seed, 21)), config: c.Config, others: c.Objects,
		services: make(map[string]objects.Sourced[*corev1.Service]), slices: make(map[string]objects.Sourced[*discoveryv1.EndpointSlice]),
	}
	h.others.Services, h.others.EndpointSlices = nil, nil
	for _, s := range c.Objects.Services {
		h.services[s.Object.Name] = s
	}
	for _, s := range c.Objects.EndpointSlices {
		h.slices[s.Object.Name] = s
	}
	for i := range uint64(4) {
		h.variants = append(h.variants, randomcluster.New(seed+1000+2*i).Objects)
	}
	return h
}

func (h *history) set() objects.Set {
	set := h.others
	for _, k := range slices.Sorted(maps.Keys(h.services)) {
		set.Services = append(set.Services, h.services[k])
	}
	for _, k := range slices.Sorted(maps.Keys(h.slices)) {
		set.EndpointSlices = append(set.EndpointSlices, h.slices[k])
	}
	return set
}

// step changes one to three things.
func (h *history) step() compiler.Update {
	var u compiler.Update
	for range 1 + h.IntN(3) {
		v := h.variants[h.IntN(len(h.variants))]
		switch h.IntN(9) {
		case 0, 1:
			s := v.Services[h.IntN(len(v.Services))]
			if h.IntN(3) == 0 {
				s.Object = h.withClusterIPOf(s.Object, v.Services[h.IntN(len(v.Services))].Object)
			}
			h.services[s.Object.Name] = s
			u.Services = append(u.Services, compiler.ServiceUpdate{Name: objects.NameOf(s.Object), Service: s})
		case 2:
			for _, k := range slices.Sorted(maps.Keys(h.services)) {
				u.Services = append(u.Services, compiler.ServiceUpdate{Name: objects.Name{Namespace: "default", Name: k}})
				delete(h.services, k)
				break
			}
		case 3:
			for _, k := range slices.Sorted(maps.Keys(h.slices)) {
				u.Slices = append(u.Slices, compiler.SliceUpdate{Name: objects.Name{Namespace: "default", Name: k}})
				delete(h.slices, k)
				break
			}
		case 4:
			others := v
			others.Services, others.EndpointSlices = nil, nil
			if h.IntN(2) == 0 {
				others.Nodes = h.others.Nodes
			}
			h.others = others
			u.Others = &others
		default:
			s := v.EndpointSlices[h.IntN(len(v.EndpointSlices))]
			h.slices[s.Object.Name] = s
			u.Slices = append(u.Slices, compiler.SliceUpdate{Name: objects.NameOf(s.Object), Slice: s})
		}
	}
	return u
}

// withClusterIPOf gives a Service another one's ClusterIP, with ports of its own.
func (h *history) withClusterIPOf(s, other *corev1.Service) *corev1.Service {
	s = s.DeepCopy()
	s.Spec.ClusterIP, s.Spec.ClusterIPs = other.Spec.ClusterIP, other.Spec.ClusterIPs
	for i := range s.Spec.Ports {
		s.Spec.Ports[i].Port += int32(h.IntN(3))
	}
	return s
}

// TestIncremental compiles random histories step by step: each program is the
// one that a whole compilation gives, and the fragments are the difference.
func TestIncremental(t *testing.T) {
	deltas := 0
	for seed := range uint64(150) {
		h := newHistory(seed)
		set := h.set()
		x := compiler.NewIncremental(&set, randomcluster.Node, h.config)
		before := x.Program()
		if want, _ := compiler.Compile(compiler.Input{Objects: &set, Node: randomcluster.Node, Config: h.config}); string(before.Text()) != string(want.Text()) {
			t.Fatalf("seed %d: the first program is another one\n%s\nwant\n%s", seed, before.Text(), want.Text())
		}
		if again := x.Program(); string(again.Text()) != string(before.Text()) {
			t.Fatalf("seed %d: the second program is another one\n%s\nwant\n%s", seed, again.Text(), before.Text())
		}
		for n := range 12 {
			d := x.Apply(h.step())
			set := h.set()
			want, _ := compiler.Compile(compiler.Input{Objects: &set, Node: randomcluster.Node, Config: h.config})
			got := x.Program()
			if string(got.Text()) != string(want.Text()) {
				t.Fatalf("seed %d, step %d: the incremental program is another one\n%s\nwant\n%s", seed, n, got.Text(), want.Text())
			}
			checkDelta(t, seed, n, &d, before, got)
			if !d.Whole && !d.Empty() {
				deltas++
			}
			before = got
		}
	}
	if deltas < 500 {
		t.Errorf("only %d deltas", deltas)
	}
}

// checkDelta wants before − Before + After to be after.
func checkDelta(t *testing.T, seed uint64, step int, d *compiler.Delta, before, after *ir.Program) {
	t.Helper()
	if d.Whole {
		return
	}
	if policy := policyText(before.Policy) != policyText(after.Policy); policy != d.Policy {
		t.Fatalf("seed %d, step %d: the policy differs: %v, delta says %v", seed, step, policy, d.Policy)
	}
	want, old := ir.Policy{}, ir.Policy{}
	if d.Policy {
		want, old = after.Policy, before.Policy
	}
	if policyText(d.Before.Policy) != policyText(old) || policyText(d.After.Policy) != policyText(want) {
		t.Fatalf("seed %d, step %d: the fragments have other policies", seed, step)
	}
	checkFragments(t, seed, step, d, before, after)
}

func policyText(p ir.Policy) string { return string((&ir.Program{Policy: p}).Text()) }

func checkFragments(t *testing.T, seed uint64, step int, d *compiler.Delta, before, after *ir.Program) {
	t.Helper()
	have := items(before)
	for k, v := range items(d.Before) {
		if have[k] != v {
			t.Fatalf("seed %d, step %d: %s was not there", seed, step, k)
		}
		delete(have, k)
	}
	for k, v := range items(d.After) {
		have[k] = v
	}
	want := items(after)
	if !maps.Equal(have, want) {
		t.Fatalf("seed %d, step %d: the fragments lead to\n%v\nwant\n%v", seed, step, have, want)
	}
	for _, p := range []*ir.Program{d.Before, d.After} {
		if err := ir.Verify(p); err != nil && p.Node.Name != "" {
			t.Fatalf("seed %d, step %d: %v", seed, step, err)
		}
	}
}

// items are the parts of a program that a delta is about, each as text.
func items(p *ir.Program) map[string]string {
	out := make(map[string]string)
	one := func(f func(*ir.Program)) string {
		q := &ir.Program{}
		f(q)
		return string(q.Text())
	}
	for _, f := range p.Frontends {
		out["frontend "+f.ID] = one(func(q *ir.Program) { q.Frontends = []ir.Frontend{f} })
	}
	for _, pool := range p.Pools {
		out["pool "+pool.ID] = one(func(q *ir.Program) { q.Pools = []ir.Pool{pool} })
	}
	for _, h := range p.HealthChecks {
		out["health "+h.Namespace+"/"+h.Name+h.Family.String()] = one(func(q *ir.Program) { q.HealthChecks = []ir.HealthCheck{h} })
	}
	for _, a := range p.ClusterIPs {
		out["cluster-ip "+a.String()] = ""
	}
	return out
}

// BenchmarkIncremental is one endpoint replaced, object in → fragments.
func BenchmarkIncremental(b *testing.B) {
	set := clustergen.Objects(clustergen.Size{Services: 30000, Endpoints: 5})
	x := compiler.NewIncremental(&set, set.Nodes[0].Object.Name, objects.Config{})
	slice := set.EndpointSlices[15000]
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		changed := *slice.Object
		changed.Endpoints = slices.Clone(changed.Endpoints)
		changed.Endpoints[2].Addresses = []string{[]string{"10.127.0.1", "10.127.0.2"}[n%2]}
		d := x.Apply(compiler.Update{Slices: []compiler.SliceUpdate{{
			Name:  objects.NameOf(&changed),
			Slice: objects.Sourced[*discoveryv1.EndpointSlice]{Object: &changed},
		}}})
		if d.Empty() {
			b.Fatal("nothing changed")
		}
	}
}

// BenchmarkIncrementalPolicy is one of 1,000 policies changed, object in → the
// node's policy.
func BenchmarkIncrementalPolicy(b *testing.B) {
	set := clustergen.PolicyObjects(clustergen.LargePolicies)
	x := compiler.NewIncremental(&set, set.Nodes[0].Object.Name, objects.Config{})
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		others := set
		others.NetworkPolicies = slices.Clone(set.NetworkPolicies)
		changed := others.NetworkPolicies[507].Object.DeepCopy()
		changed.Spec.Ingress = changed.Spec.Ingress[:n%2]
		others.NetworkPolicies[507].Object = changed
		if d := x.Apply(compiler.Update{Others: &others}); !d.Policy && n > 1 {
			b.Fatal("nothing changed")
		}
	}
}
