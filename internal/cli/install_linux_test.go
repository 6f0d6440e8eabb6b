package cli

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/poison"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/failsafe"
)

// TestInstall is `planec apply` with a bad object among a thousand, refused at every
// stage that a first apply has: all else is in the kernel, and the object is named.
// (That IPVS does the same, internal/apply/dataplane tests in User Mode Linux.)
func TestInstall(t *testing.T) {
	for _, p := range installPlanes() {
		t.Run(p.name, func(t *testing.T) {
			testkit.Require(t, p.tools...)
			r := testkit.New(t, testkit.Spec{})
			for _, stage := range []poison.Stage{poison.PlanFails, poison.Refused, poison.NeverSame, poison.EmitFails, poison.EmitPanics} {
				for _, o := range []poison.Object{poison.Objects()[0], poison.Objects()[6]} {
					t.Run(o.Name+", "+string(stage), func(t *testing.T) { install(t, r, p, stage, o) })
				}
			}
		})
	}
}

// installPlane is a backend's way into the kernel.
type installPlane struct {
	name, backend string
	tools         []string
	dataplane     func(*testing.T) applier.Dataplane
}

func installPlanes() []installPlane {
	return []installPlane{
		{"nftables", "nftables", []string{"nft"}, func(*testing.T) applier.Dataplane { return dataplane.All()["nftables"] }},
		{"iptables", "iptables", []string{"ipset", "iptables-legacy-restore"}, func(*testing.T) applier.Dataplane { return dataplane.IPTables("legacy") }},
		{"ebpf", "ebpf", nil, func(t *testing.T) applier.Dataplane {
			return dataplane.EBPF(testkit.BPFFS(t), testkit.Cgroup(t, live.CgroupRoot()))
		}},
	}
}

func install(t *testing.T, r *testkit.Rig, plane installPlane, stage poison.Stage, o poison.Object) {
	set := clustergen.Objects(clustergen.Size{Services: 999, Endpoints: 2})
	set.Nodes[0].Object.Name = poison.Node
	set.Pods = append(set.Pods, objects.Sourced[*corev1.Pod]{Object: poison.Pod()})
	if o.Policy != nil {
		set.NetworkPolicies = append(set.NetworkPolicies, objects.Sourced[*networkingv1.NetworkPolicy]{Object: o.Policy})
	} else {
		set.Services = append(set.Services, objects.Sourced[*corev1.Service]{Object: o.Service})
		set.EndpointSlices = append(set.EndpointSlices, objects.Sourced[*discoveryv1.EndpointSlice]{Object: o.Slice})
	}
	program, _ := compiler.Compile(compiler.Input{Objects: &set, Node: poison.Node})
	selected, err := registry.Select(backends.DefaultOptions(), plane.backend)
	if err != nil {
		t.Fatal(err)
	}
	bad := &poison.Poison{Stage: stage, Marker: o.Marker}
	inner := plane.dataplane(t)
	a := applier.New(map[string]applier.Dataplane{plane.backend: &poison.Plane{Dataplane: inner, Poison: bad}}, applier.NewRecord(t.TempDir()))
	c := &compiled{backend: poison.Backend{Backend: selected[0], Poison: bad}, program: program}
	c.Backend = plane.backend
	// What entry does.
	var diags diag.List
	result, err := emit(program, []backends.Backend{c.backend}, &diags)
	if err != nil {
		t.Fatal(err)
	}
	c.Artifact = result.artifacts[0].artifact
	err = r.Do(func() error {
		if _, err := c.install(t.Context(), a); err != nil {
			return err
		}
		want, err := selected[0].Emit(failsafe.Program(program, failsafe.Set{o.Is: failsafe.Refused}))
		if err != nil {
			return err
		}
		p, err := inner.Plan(t.Context(), want)
		if err == nil && !p.Empty() {
			t.Errorf("the kernel is not what it should be: %q", p.Steps())
		}
		_, cleaned := inner.Clean(context.Background())
		return cleaned
	})
	if err != nil {
		t.Fatal(err)
	}
	diags = append(diags, c.refused...)
	if len(diags) != 1 || diags[0].Origin.Object() != o.Is.String() {
		t.Errorf("the findings are %v", diags)
	}
}
