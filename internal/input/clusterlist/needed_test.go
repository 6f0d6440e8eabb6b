package clusterlist

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/internal/input/manifest"
)

// TestNeeded lists Calico's objects once where a server has them in two groups, and
// service accounts only beside them.
func TestNeeded(t *testing.T) {
	list := func(version string, kinds ...string) *metav1.APIResourceList {
		out := &metav1.APIResourceList{GroupVersion: version}
		for _, k := range kinds {
			out.APIResources = append(out.APIResources, metav1.APIResource{Name: k, Kind: k, Verbs: []string{"list"}})
		}
		return out
	}
	for _, tt := range []struct {
		name   string
		served []*metav1.APIResourceList
		want   []string
	}{
		{"Kubernetes alone", []*metav1.APIResourceList{list("v1", "ServiceAccount")}, nil},
		{"Calico's own API", []*metav1.APIResourceList{list("v1", "ServiceAccount"), list("projectcalico.org/v3", "NetworkPolicy", "Tier")}, []string{"/ServiceAccount", "projectcalico.org/NetworkPolicy", "projectcalico.org/Tier"}},
		{
			"both",
			[]*metav1.APIResourceList{list("projectcalico.org/v3", "NetworkPolicy", "Tier"), list("crd.projectcalico.org/v1", "NetworkPolicy")},
			[]string{"projectcalico.org/Tier", "crd.projectcalico.org/NetworkPolicy"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := make(map[string]bool)
			for _, w := range tt.want {
				want[w] = true
			}
			for _, k := range manifest.Kinds() {
				if !k.Optional {
					continue
				}
				_, there := find(tt.served, k)
				if got := there && needed(tt.served, k); got != want[k.Group+"/"+k.Name] {
					t.Errorf("%s/%s is listed: %v", k.Group, k.Name, got)
				}
			}
		})
	}
}

// TestCiliumOptions asks a cluster with Cilium for the one ConfigMap that changes what its
// policies mean, and for no other.
func TestCiliumOptions(t *testing.T) {
	const path = "/api/v1/namespaces/kube-system/configmaps"
	s := &server{objects: map[string][]string{path: {`{"metadata":{"name":"cilium-config","namespace":"kube-system"},"data":{"enable-policy":"always"}}`}}}
	set, _, err := manifest.Load(t.Context(), manifest.Options{Built: listFrom(t, s).Objects})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.CiliumConfigs) != 1 || set.CiliumConfigs[0].Object.Data["enable-policy"] != "always" {
		t.Errorf("the options are %v", set.CiliumConfigs)
	}
	if !slices.ContainsFunc(s.asked, func(uri string) bool {
		return strings.HasPrefix(uri, path+"?") && strings.Contains(uri, "fieldSelector=metadata.name%3Dcilium-config")
	}) {
		t.Errorf("asked for %v", s.asked)
	}
}
