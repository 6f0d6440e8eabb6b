package dns_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/dns"
	"github.com/planec/planec/compiler/objects"
)

func service(namespace, name string, spec corev1.ServiceSpec) objects.Sourced[*corev1.Service] {
	return objects.Sourced[*corev1.Service]{Object: &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: spec}}
}

func slice(namespace, service, name string, t discoveryv1.AddressType, endpoints ...discoveryv1.Endpoint) objects.Sourced[*discoveryv1.EndpointSlice] {
	return objects.Sourced[*discoveryv1.EndpointSlice]{Object: &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: service}},
		AddressType: t, Endpoints: endpoints, Ports: []discoveryv1.EndpointPort{{Name: new("http"), Port: new(int32(8080)), Protocol: new(corev1.ProtocolTCP)}},
	}}
}

func endpoint(address string) discoveryv1.Endpoint {
	return discoveryv1.Endpoint{Addresses: []string{address}}
}

func zones(t *testing.T, set *objects.Set) ([]dns.Zone, int) {
	t.Helper()
	z, diags, err := dns.Zones(set, dns.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return z, len(diags)
}

// TestHostile checks that no object gets a name into a zone that is none.
func TestHostile(t *testing.T) {
	bad := []string{"", "a b", "a;b", "a\n$INCLUDE x", "A", "-a", "a-", "*", "a.b", "(", "\"", strings.Repeat("a", 64), "ä"}
	var set objects.Set
	for _, name := range bad {
		set.Services = append(set.Services,
			service("shop", name, corev1.ServiceSpec{ClusterIP: "10.96.0.1"}),
			service(name, "web", corev1.ServiceSpec{ClusterIP: "10.96.0.2"}),
			service("shop", "host", corev1.ServiceSpec{ClusterIP: "None"}))
		if name != "" && name != "a.b" { // no hostname, and a name of two labels, are fine
			set.Services = append(set.Services, service("shop", "out", corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: name}))
			set.EndpointSlices = append(set.EndpointSlices, slice("shop", "host", "host-1", discoveryv1.AddressTypeIPv4,
				discoveryv1.Endpoint{Addresses: []string{"10.244.1.1"}, Hostname: &name}))
		}
		if name != "" {
			set.Services = append(set.Services, service("shop", "ports", corev1.ServiceSpec{ClusterIP: "10.96.0.3", Ports: []corev1.ServicePort{{Name: name, Port: 1}}}))
		}
	}
	z, diags := zones(t, &set)
	want := []string{"dns-version.cluster.local.", "ports.shop.svc.cluster.local."}
	for _, r := range z[0].Records {
		// "_A._tcp" is "_a._tcp": names of ports are compared without case.
		if !strings.HasPrefix(r.Name, "_a.") && !contains(want, r.Name) {
			t.Errorf("record %+v", r)
		}
	}
	if diags < 3*len(bad) {
		t.Errorf("%d diagnostics", diags)
	}
	for _, zone := range []string{"a b", "-", strings.Repeat("a.", 120) + "a", ".", "..", "in-addr.arpa", "arpa"} {
		if _, _, err := dns.Zones(&set, dns.Options{Zone: zone}); err == nil {
			t.Errorf("zone %q is taken", zone)
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// TestOrder checks that records do not depend on the order of objects.
func TestOrder(t *testing.T) {
	var set objects.Set
	for i := range 20 {
		name, kind := fmt.Sprintf("s%d", i), fmt.Sprintf("10.96.0.%d", i+1)
		if i%3 == 0 {
			kind = "None"
		}
		set.Services = append(set.Services, service("shop", name, corev1.ServiceSpec{ClusterIP: kind, Ports: []corev1.ServicePort{{Name: "http", Port: 80, Protocol: "TCP"}}}))
		for j := range 3 {
			// Endpoints are in several slices, and of several Services.
			set.EndpointSlices = append(set.EndpointSlices, slice("shop", name, fmt.Sprintf("%s-%d", name, j), discoveryv1.AddressTypeIPv4,
				endpoint(fmt.Sprintf("10.244.0.%d", j+1)), endpoint(fmt.Sprintf("10.244.%d.9", i))))
		}
	}
	want, _ := zones(t, &set)
	for range 10 {
		rand.Shuffle(len(set.Services), func(i, j int) { set.Services[i], set.Services[j] = set.Services[j], set.Services[i] })
		rand.Shuffle(len(set.EndpointSlices), func(i, j int) {
			set.EndpointSlices[i], set.EndpointSlices[j] = set.EndpointSlices[j], set.EndpointSlices[i]
		})
		if got, _ := zones(t, &set); !reflect.DeepEqual(got, want) {
			t.Fatal("another order gives other records")
		}
	}
}

// TestFind checks which names a client may use, and which it may not.
func TestFind(t *testing.T) {
	z, _ := zones(t, &objects.Set{
		Services:       []objects.Sourced[*corev1.Service]{service("shop", "web", corev1.ServiceSpec{ClusterIP: "None"})},
		EndpointSlices: []objects.Sourced[*discoveryv1.EndpointSlice]{slice("shop", "web", "web-1", discoveryv1.AddressTypeIPv6, endpoint("fd00::1"), endpoint("fd00::"))},
	})
	names := dns.NewNames(z)
	for name, want := range map[string]int{
		"web.shop": 2, "WEB.shop.svc": 2, "web.shop.svc.cluster.local": 2, "web.shop.svc.cluster.local.": 2, "fd00--1.web.shop": 1, "fd00--0.web.shop": 1,
		"web": 0, "shop": 0, "_http._tcp.web.shop": 0, "web.shop.cluster.local": 0, "": 0, ".": 0, "dns-version": 0,
	} {
		a, found := names.Find(name)
		if found != (want > 0) || len(a.Addresses) != want {
			t.Errorf("%q: %+v, want %d addresses", name, a, want)
		}
	}
}
