package session_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/apply/session"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/testkit"
)

func nftables(t testing.TB, x *compiler.Incremental, o backends.Options) (*session.Session, *applier.Applier, backends.Backend) {
	t.Helper()
	selected, err := registry.Select(o, "nftables")
	if err != nil {
		t.Fatal(err)
	}
	a := applier.New(dataplane.All(), applier.NewRecord(t.TempDir()))
	s := session.New(x, selected[0], a)
	s.General = dataplane.General
	return s, a, selected[0]
}

// TestHistories applies random histories of changes one by one: after each the
// kernel is what one whole apply of the same objects would make it.
func TestHistories(t *testing.T) {
	testkit.Require(t, "nft")
	r := testkit.New(t, testkit.Spec{NodeAddrs: []netip.Addr{netip.MustParseAddr("192.0.2.11")}})
	steps, short, policed := 0, 0, 0
	for seed := range uint64(*histories) {
		rng := rand.New(rand.NewPCG(seed, 41))
		c := randomcluster.New(seed)
		set := c.Objects
		x := compiler.NewIncremental(&set, randomcluster.Node, c.Config)
		s, a, b := nftables(t, x, backends.DefaultOptions())
		err := r.Do(func() error {
			if _, err := s.Apply(t.Context()); err != nil {
				return err
			}
			for range 6 {
				u := update(rng, seed)
				if rng.IntN(4) == 0 {
					u.Others = policies(rng, set, seed)
					if rng.IntN(2) == 0 {
						u.Services, u.Slices = nil, nil
					}
					policed++
				}
				p, err := s.Update(t.Context(), u)
				if err != nil {
					return err
				}
				steps++
				if len(p.Steps()) > 0 && !strings.Contains(strings.Join(p.Steps(), "\n"), "create it") {
					short++
				}
				artifact, err := b.Emit(x.Program())
				if err != nil {
					return err
				}
				if err := a.Verify(t.Context(), applier.Entry{Backend: "nftables", Artifact: artifact}); err != nil {
					return fmt.Errorf("after %q: %w", p.Steps(), err)
				}
			}
			_, err := a.Clean(t.Context(), "nftables")
			return err
		})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	t.Logf("%d histories, %d changes, %d of them with policies, %d without a new table", *histories, steps, policed, short)
}

// update takes one or two objects from another random cluster.
func update(rng *rand.Rand, seed uint64) compiler.Update {
	v := randomcluster.New(seed + 1000 + 2*rng.Uint64N(4)).Objects
	var u compiler.Update
	for range 1 + rng.IntN(2) {
		switch rng.IntN(6) {
		case 0:
			s := v.Services[rng.IntN(len(v.Services))]
			u.Services = append(u.Services, compiler.ServiceUpdate{Name: objects.NameOf(s.Object), Service: s})
		case 1:
			s := v.Services[rng.IntN(len(v.Services))]
			u.Services = append(u.Services, compiler.ServiceUpdate{Name: objects.NameOf(s.Object)})
		default:
			s := v.EndpointSlices[rng.IntN(len(v.EndpointSlices))]
			u.Slices = append(u.Slices, compiler.SliceUpdate{Name: objects.NameOf(s.Object), Slice: s})
		}
	}
	return u
}

// policies are the nodes of one cluster with the pods, namespaces and policies of
// another, or with some of its policies, or with none.
func policies(rng *rand.Rand, set objects.Set, seed uint64) *objects.Set {
	v := randomcluster.New(2*(seed+rng.Uint64N(2)) + 2001).Objects
	v.Services, v.EndpointSlices, v.Nodes, v.ServiceCIDRs = nil, nil, set.Nodes, set.ServiceCIDRs
	switch rng.IntN(4) {
	case 0:
		v.NetworkPolicies = v.NetworkPolicies[:rng.IntN(len(v.NetworkPolicies)+1)]
	case 1:
		v.NetworkPolicies, v.ClusterNetworkPolicies, v.AdminNetworkPolicies, v.BaselineAdminNetworkPolicies = nil, nil, nil, nil
	}
	return &v
}

// BenchmarkChange is a change of one object, from the object to the kernel's
// acknowledgement, among many Services.
func BenchmarkChange(b *testing.B) {
	testkit.Require(b, "nft")
	for _, services := range []int{10000, 30000} {
		b.Run(fmt.Sprintf("%dx5", services), func(b *testing.B) {
			r := testkit.New(b, testkit.Spec{})
			set := clustergen.Objects(clustergen.Size{Services: services, Endpoints: 5})
			// Pools of 4 endpoints are nothing new, those of 6 are.
			set.EndpointSlices[7].Object.Endpoints = set.EndpointSlices[7].Object.Endpoints[:4]
			x := compiler.NewIncremental(&set, set.Nodes[0].Object.Name, objects.Config{})
			o := backends.DefaultOptions()
			o.NoComments = true
			s, _, _ := nftables(b, x, o)
			do := func(f func() error) {
				b.Helper()
				if err := r.Do(f); err != nil {
					b.Fatal(err)
				}
			}
			do(func() error { _, err := s.Apply(b.Context()); return err })
			slice := set.EndpointSlices[services/2]
			change := func(b *testing.B, with func(*discoveryv1.EndpointSlice, int)) {
				n := 0
				cpu := processCPU()
				for b.Loop() {
					changed := *slice.Object
					changed.Endpoints = slices.Clone(changed.Endpoints)
					with(&changed, n)
					n++
					do(func() error {
						_, err := s.Update(b.Context(), compiler.Update{Slices: []compiler.SliceUpdate{{
							Name:  objects.NameOf(&changed),
							Slice: objects.Sourced[*discoveryv1.EndpointSlice]{Object: &changed},
						}}})
						return err
					})
				}
				b.ReportMetric((processCPU()-cpu)*1e3/float64(n), "cpu-ms/op")
			}
			b.Run("endpoint-replaced", func(b *testing.B) {
				change(b, func(s *discoveryv1.EndpointSlice, n int) {
					s.Endpoints[2].Addresses = []string{[]string{"10.127.0.1", "10.127.0.2"}[n%2]}
				})
			})
			b.Run("pool-grows-and-shrinks", func(b *testing.B) {
				change(b, func(s *discoveryv1.EndpointSlice, n int) { s.Endpoints = s.Endpoints[:4+n%2] })
			})
			for name, more := range map[string]int{"pool-of-6-that-no-other-has": 1, "pool-of-12-that-no-other-has": 7} {
				b.Run(name, func(b *testing.B) {
					change(b, func(s *discoveryv1.EndpointSlice, n int) {
						for i := range more * ((n + 1) % 2) {
							one := s.Endpoints[2]
							one.Addresses = []string{fmt.Sprintf("10.127.0.%d", i+1)}
							s.Endpoints = append(s.Endpoints, one)
						}
					})
				})
			}
			b.Run("nothing", func(b *testing.B) { change(b, func(*discoveryv1.EndpointSlice, int) {}) })
			b.Run("service-goes-and-comes", func(b *testing.B) {
				n := 0
				cpu := processCPU()
				one := set.Services[services/3]
				for b.Loop() {
					u := compiler.ServiceUpdate{Name: objects.NameOf(one.Object)}
					if n%2 == 1 {
						u.Service = one
					}
					n++
					do(func() error {
						_, err := s.Update(b.Context(), compiler.Update{Services: []compiler.ServiceUpdate{u}})
						return err
					})
				}
				b.ReportMetric((processCPU()-cpu)*1e3/float64(n), "cpu-ms/op")
			})
		})
	}
}
