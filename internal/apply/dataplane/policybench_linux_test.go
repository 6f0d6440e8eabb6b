package dataplane_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/apply/session"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/testkit"
)

// BenchmarkPolicyChange is one of 1,000 policies changed beside many Services, from the object
// to the kernel's acknowledgement: CPU milliseconds of this process and its children.
func BenchmarkPolicyChange(b *testing.B) {
	for _, p := range []plane{planes()[0], planes()[1], ebpfPlane(b)} {
		for n := range strings.SplitSeq(*benchServices, ",") {
			var services int
			if _, err := fmt.Sscan(n, &services); err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("%s/%dx5", p.name, services), func(b *testing.B) { benchPolicies(b, p, services) })
		}
	}
}

func benchPolicies(b *testing.B, p plane, services int) {
	testkit.Require(b, p.tools...)
	x := &bench{plane: p, record: b.TempDir(), set: clustergen.PolicyObjects(clustergen.LargePolicies), rig: testkit.New(b, testkit.Spec{})}
	beside := clustergen.Objects(clustergen.Size{Services: services, Endpoints: 5})
	x.set.Services, x.set.EndpointSlices = beside.Services, beside.EndpointSlices
	o := backends.DefaultOptions()
	o.NoComments = true
	selected, err := registry.Select(o, p.backend)
	if err != nil {
		b.Fatal(err)
	}
	x.emitter = selected[0]
	s := x.start(b)
	// Both policies are of pods on the node.
	b.Run("peers", func(b *testing.B) {
		x.eachPolicy(b, s, 507, func(p *networkingv1.NetworkPolicySpec, n int) { p.Ingress = p.Ingress[:n%2] })
	})
	b.Run("network", func(b *testing.B) {
		x.eachPolicy(b, s, 0, func(p *networkingv1.NetworkPolicySpec, n int) {
			p.Ingress[2].From[0].IPBlock = &networkingv1.IPBlock{CIDR: fmt.Sprintf("192.0.2.%d/32", n%2)}
		})
	})
}

// eachPolicy changes one of the policies again and again.
func (x *bench) eachPolicy(b *testing.B, s *session.Session, which int, change func(p *networkingv1.NetworkPolicySpec, n int)) {
	x.each(b, func(b *testing.B, n int) {
		others := x.set
		others.NetworkPolicies = slices.Clone(x.set.NetworkPolicies)
		changed := others.NetworkPolicies[which].Object.DeepCopy()
		change(&changed.Spec, n)
		others.NetworkPolicies[which].Object = changed
		x.do(b, func() error {
			plan, err := s.Update(b.Context(), compiler.Update{Others: &others})
			if err == nil && plan.Empty() && n > 2 {
				b.Error("nothing changed")
			}
			return err
		})
	}, nil)
}
