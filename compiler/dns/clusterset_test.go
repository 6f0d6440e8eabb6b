package dns_test

import (
	"strings"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/dns"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/mcs"
)

// TestClusterSetHostile: no import, cluster or endpoint gets a name into the zone that is none, and an
// endpoint without a cluster has no name of its own.
func TestClusterSetHostile(t *testing.T) {
	bad := []string{"", "a b", "a;b", "a\n$INCLUDE x", "A", "-a", "*", "a.b", "(", strings.Repeat("a", 64)}
	var set objects.Set
	add := func(name, cluster string, spec mcs.ServiceImportSpec) {
		set.ServiceImports = append(set.ServiceImports, objects.Sourced[*mcs.ServiceImport]{Object: &mcs.ServiceImport{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: spec}})
		s := slice("shop", "", "s-"+name, discoveryv1.AddressTypeIPv4, endpoint("10.8.1.5"))
		s.Object.Labels = map[string]string{mcs.LabelServiceName: name, objects.SourceClusterLabel: cluster}
		set.EndpointSlices = append(set.EndpointSlices, s)
	}
	for _, b := range bad {
		add(b, "west", mcs.ServiceImportSpec{Type: mcs.ClusterSetIP, IPs: []string{"241.0.0.1"}, Ports: []mcs.ServicePort{{Name: b, Port: 1}}})
		add("db", b, mcs.ServiceImportSpec{Type: mcs.Headless})
		add("web", "west", mcs.ServiceImportSpec{Type: mcs.ClusterSetIP, IPs: []string{b}, Ports: []mcs.ServicePort{{Name: b, Port: 1}}})
	}
	z, diags := zones(t, &set)
	if len(z) != 4 || z[3].Name != dns.ClusterSetZone+"." || diags == 0 {
		t.Fatalf("%d zones, %d findings", len(z), diags)
	}
	for _, r := range z[3].Records {
		if !dns.IsName(strings.ReplaceAll(r.Name, "_", "")) {
			t.Errorf("record of %q", r.Name)
		}
		if strings.HasSuffix(r.Name, ".db.shop.svc.clusterset.local.") && !strings.HasPrefix(r.Name, "_") {
			t.Errorf("a name below no cluster: %q", r.Name)
		}
	}
}
