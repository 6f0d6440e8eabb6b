package ipam_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
	"github.com/planec/planec/ir/diag"
)

func serviceNamed(name string, annotations map[string]string, port int32) objects.Sourced[*corev1.Service] {
	return objects.Sourced[*corev1.Service]{Object: &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Annotations: annotations},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: []corev1.ServicePort{{Port: port}}},
	}}
}

// TestManyBlocks has pools as large as the API server takes them, which overlap each other in all
// ways: none is written out, and each pair is not looked at.
func TestManyBlocks(t *testing.T) {
	const pools, blocks, services = 20, 20000, 2000
	set := &objects.Set{}
	for p := range pools {
		o := &ciliumv2.LoadBalancerIPPool{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("p%02d", p)}}
		for b := range blocks {
			o.Spec.Blocks = append(o.Spec.Blocks, ciliumv2.IPBlock{Start: fmt.Sprintf("10.%d.%d.%d", p/2, b/256, b%256)})
		}
		o.Spec.Blocks = append(o.Spec.Blocks, ciliumv2.IPBlock{CIDR: fmt.Sprintf("fd00:%d::/32", p)})
		set.CiliumPools = append(set.CiliumPools, objects.Sourced[*ciliumv2.LoadBalancerIPPool]{Object: o})
	}
	for i := range services {
		set.Services = append(set.Services, serviceNamed(fmt.Sprintf("s%d", i), nil, 80))
	}
	r := ipam.Allocate(set, ipam.Settings{})
	conflicts := 0
	for _, p := range r.Pools {
		if p.Conflict != "" {
			conflicts++
		}
	}
	if conflicts != pools/2 {
		t.Errorf("%d pools in conflict", conflicts)
	}
	for i := range r.Services {
		if len(r.Services[i].Addresses) != 1 {
			t.Fatalf("%+v", r.Services[i])
		}
	}
}

// TestManyShare has Services that all ask to share, and mostly cannot.
func TestManyShare(t *testing.T) {
	set := &objects.Set{MetalLBPools: []objects.Sourced[*metallbv1beta1.IPAddressPool]{{Object: &metallbv1beta1.IPAddressPool{
		ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: metallbv1beta1.IPAddressPoolSpec{Addresses: []string{"10.0.0.0/8"}},
	}}}}
	for i := range 5000 {
		set.Services = append(set.Services, serviceNamed(fmt.Sprintf("s%04d", i), map[string]string{objects.MetalLBAllowSharedIP: "k"}, int32(1+i%7)))
	}
	r := ipam.Allocate(set, ipam.Settings{})
	users := make(map[netip.Addr]int)
	for i := range r.Services {
		for _, a := range r.Services[i].Addresses {
			users[a.Addr]++
		}
	}
	for a, n := range users {
		if n > 7 {
			t.Errorf("%d Services have %s", n, a)
		}
	}
}

// TestWishes wants unreasonable wishes to be refused in few words.
func TestWishes(t *testing.T) {
	set := load(t, "cilium p {blocks: [{cidr: 10.0.0.0/8}]}")
	for i, wish := range []string{
		strings.Repeat("10.0.0.1,", 1000) + "10.0.0.2x", strings.Repeat("x", 200000), ",", "10.0.0.1%eth0", "\x1b[31m10.0.0.1",
		func() string {
			var all []string
			for i := range 200 {
				all = append(all, fmt.Sprintf("10.0.1.%d", i))
			}
			return strings.Join(all, ",")
		}(),
	} {
		set.Services = append(set.Services, serviceNamed(fmt.Sprintf("s%d", i), map[string]string{objects.CiliumAddresses: wish}, 80))
	}
	r := ipam.Allocate(set, ipam.Settings{})
	for i := range r.Services {
		a := &r.Services[i]
		if len(a.Addresses) > 64 || len(a.Findings) == 0 && len(a.Addresses) != 1 {
			t.Errorf("%s: %d addresses, %v", a.Service, len(a.Addresses), a.Findings)
		}
		for _, f := range a.Findings {
			if len(f.Message) > 300 || f.Message != diag.Printable(f.Message) {
				t.Errorf("%s: %q", a.Service, f.Message)
			}
		}
	}
}

// FuzzPool reads pools of any text: what is given lies in what was written.
func FuzzPool(f *testing.F) {
	for _, s := range []string{"192.0.2.0/24", "192.0.2.1-192.0.2.3", "fd00::/8", "::ffff:10.0.0.0/104", "-", "10.0.0.0/0", "1.2.3.4-fd00::", "fd00::1%e-fd00::2", "255.255.255.255/32", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, avoid bool) {
		set := &objects.Set{MetalLBPools: []objects.Sourced[*metallbv1beta1.IPAddressPool]{{Object: &metallbv1beta1.IPAddressPool{
			ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: metallbv1beta1.IPAddressPoolSpec{Addresses: []string{text}, AvoidBuggyIPs: avoid},
		}}}}
		for i := range 3 {
			s := serviceNamed(fmt.Sprint(i), nil, 80)
			s.Object.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
			set.Services = append(set.Services, s)
		}
		r := ipam.Allocate(set, ipam.Settings{})
		for i := range r.Services {
			for _, a := range r.Services[i].Addresses {
				if a.Addr.IsMulticast() || a.Addr.IsLoopback() || a.Addr.IsUnspecified() || a.Addr.IsLinkLocalUnicast() {
					t.Errorf("%q gives %s", text, a.Addr)
				}
			}
		}
	})
}
