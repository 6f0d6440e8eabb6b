package clusterset_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/clusterset"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/mcs"
	"github.com/planec/planec/ir/diag"
)

// cluster has a global Service web, an export of api, and a Node with a range of pods.
func cluster(name string, number int, annotations map[string]string) clusterset.Cluster {
	meta := func(name string, labels map[string]string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: labels}
	}
	set := &objects.Set{}
	web := &corev1.Service{ObjectMeta: meta("web", nil)}
	if web.Annotations = map[string]string{objects.CiliumGlobal: "true"}; annotations != nil {
		web.Annotations = annotations
	}
	node := "node-a"
	for _, s := range []*corev1.Service{web, {ObjectMeta: meta("api", nil)}} {
		set.Services = append(set.Services, objects.Sourced[*corev1.Service]{Object: s})
		set.EndpointSlices = append(set.EndpointSlices, objects.Sourced[*discoveryv1.EndpointSlice]{Object: &discoveryv1.EndpointSlice{
			ObjectMeta: meta(s.Name+"-1", map[string]string{discoveryv1.LabelServiceName: s.Name}), AddressType: discoveryv1.AddressTypeIPv4,
			Endpoints: []discoveryv1.Endpoint{{Addresses: []string{fmt.Sprintf("10.%d.1.5", number)}, NodeName: &node, Hints: &discoveryv1.EndpointHints{}}},
		}})
	}
	set.ServiceExports = []objects.Sourced[*mcs.ServiceExport]{{Object: &mcs.ServiceExport{ObjectMeta: meta("api", nil)}}}
	set.Nodes = []objects.Sourced[*corev1.Node]{{Object: &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}, Spec: corev1.NodeSpec{PodCIDR: fmt.Sprintf("10.%d.1.0/24", number)}}}}
	return clusterset.Cluster{Name: name, Objects: set}
}

func imported(c clusterset.Cluster, derived string) clusterset.Cluster {
	i := &mcs.ServiceImport{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "api"}, Spec: mcs.ServiceImportSpec{Type: mcs.ClusterSetIP}}
	if derived != "" {
		i.Annotations = map[string]string{mcs.DerivedService: derived}
	}
	c.Objects.ServiceImports = []objects.Sourced[*mcs.ServiceImport]{{Object: i}}
	return c
}

// added are the slices that a mesh adds: name, owner and cluster.
func added(own clusterset.Cluster, set *objects.Set) []string {
	var out []string
	for _, s := range set.EndpointSlices[len(own.Objects.EndpointSlices):] {
		out = append(out, s.Object.Name+" of "+objects.OwnerOf(s.Object).Name+" from "+s.Object.Labels[objects.SourceClusterLabel])
	}
	return out
}

func TestJoin(t *testing.T) {
	private := map[string]string{objects.CiliumGlobal: "true", objects.CiliumShared: "false"}
	own := imported(cluster("east", 1, private), "")
	others := []clusterset.Cluster{cluster("west", 2, nil), cluster("north", 3, private), cluster("south", 4, map[string]string{})}
	want := []string{
		"web-1.west of web from west", "api-1.east.clusterset of api.clusterset from east", "api-1.north.clusterset of api.clusterset from north",
		"api-1.south.clusterset of api.clusterset from south", "api-1.west.clusterset of api.clusterset from west",
	}
	for range 10 {
		rand.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
		set, diags := clusterset.Join(own, others)
		if got := added(own, &set); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q\nwant\n%q", got, want)
		}
		for _, s := range set.EndpointSlices {
			if e := s.Object.Endpoints[0]; (e.NodeName == nil) != objects.OfOtherCluster(s.Object, "east") || e.Hints != nil && e.NodeName == nil {
				t.Errorf("%s: node %v, hints %v", s.Object.Name, e.NodeName, e.Hints)
			}
		}
		if len(diags) > 0 || len(set.Others) != 3 || len(own.Objects.EndpointSlices) != 2 {
			t.Fatalf("%v, %d others, %d own slices", diags, len(set.Others), len(own.Objects.EndpointSlices))
		}
	}
	// What the mesh has written already is not added again, and a derived Service has the slices.
	set, _ := clusterset.Join(own, others)
	again, _ := clusterset.Join(clusterset.Cluster{Name: "east", Objects: &set}, others)
	if n := len(again.EndpointSlices) - len(set.EndpointSlices); n != 0 {
		t.Errorf("%d slices are added again", n)
	}
	derived, _ := clusterset.Join(imported(cluster("east", 1, nil), "derived-1"), others[:1])
	for _, s := range derived.EndpointSlices[2:] {
		if s.Object.Labels[mcs.LabelServiceName] == "api" && objects.OwnerOf(s.Object).Name != "derived-1" {
			t.Errorf("%s belongs to %v", s.Object.Name, objects.OwnerOf(s.Object))
		}
	}
}

// TestJoinHostile: a slice with the name that another one would get keeps it; clusters with the same
// ranges are said, however many there are, and no more often than twice as there are clusters.
func TestJoinHostile(t *testing.T) {
	own := cluster("east", 1, nil)
	own.Objects.EndpointSlices = append(own.Objects.EndpointSlices, objects.Sourced[*discoveryv1.EndpointSlice]{Object: &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1.c0"}, Endpoints: []discoveryv1.Endpoint{{}},
	}})
	var others []clusterset.Cluster
	for i := range clusterset.Most {
		others = append(others, cluster(fmt.Sprintf("c%d", i), 1, nil))
	}
	set, diags := clusterset.Join(own, others)
	names := make(map[string]bool)
	for _, s := range set.EndpointSlices {
		if names[s.Object.Name] {
			t.Fatalf("two slices named %s", s.Object.Name)
		}
		names[s.Object.Name] = true
	}
	overlapping := 0
	for _, d := range diags {
		if d.Code == diag.ClusterOverlap {
			overlapping++
		}
	}
	if overlapping == 0 || overlapping > 2*(len(others)+1) {
		t.Errorf("%d findings about ranges of %d clusters", overlapping, len(others)+1)
	}
	unnamed, _ := clusterset.Join(clusterset.Cluster{Objects: own.Objects}, others[:1])
	if !strings.HasPrefix(unnamed.EndpointSlices[3].Object.Name, "web-1.c0") {
		t.Errorf("%s", unnamed.EndpointSlices[3].Object.Name)
	}
}
