package bpf_test

import (
	"net/netip"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/vethtest"
	"github.com/planec/planec/ir"
)

// TestVethLife: a connection without packets is forgotten as the kernel forgets it.
func TestVethLife(t *testing.T) {
	each(t, func(w *wire, i int) {
		age := func(by time.Duration) {
			t.Helper()
			if err := w.hooks.Age(by); err != nil {
				t.Fatal(err)
			}
		}
		ask, answer := udp(web[i], peer[i], 3000, 53), udp(peer[i], web[i], 53, 3000)
		syn, ack := tcp(peer[i], web[i], 1000, 80, vethtest.SYN), tcp(web[i], peer[i], 80, 1000, vethtest.ACK)
		first := udp(web[i], peer[i], 3001, 53)
		first.Fragment = &vethtest.Fragment{ID: 7, More: true}
		later := first
		later.Fragment = &vethtest.Fragment{ID: 7, Offset: 8}
		w.out("UDP", ask, true)
		w.in("TCP", syn, true)
		w.out("a fragment", first, true)
		age(29 * time.Second)
		w.out("the rest of it", later, true)
		age(2 * time.Second)
		w.out("the rest of it, too late", later, false)
		age(85 * time.Second)
		w.in("a late answer", answer, true) // which is a packet, so the connection lives on
		age(119 * time.Second)
		w.in("a late answer", answer, true)
		age(121 * time.Second)
		w.in("an answer that is too late", answer, false)
		w.out("TCP, minutes later", ack, true)
		age(100 * time.Hour)
		w.out("TCP, days later", ack, true)
		fin := ack
		fin.Flags |= vethtest.FIN
		w.out("TCP ends", fin, true)
		w.out("TCP, after its end", ack, true)
		age(121 * time.Second)
		w.out("TCP, long after its end", ack, false)
		w.in("TCP opens again", syn, true)
		w.out("TCP is open again", ack, true)
		age(121 * time.Second)
		w.out("TCP is still open", ack, true)
	})
}

// TestVethServices: a packet to a Service is not where it goes to, so it is left to the rules of
// packets where there are some, and denied where there are none.
func TestVethServices(t *testing.T) {
	for _, rules := range []bool{false, true} {
		p := policed()
		vip, pool := netip.MustParseAddr("10.96.0.1"), ir.Pool{ID: "p", Endpoints: []ir.Endpoint{{Address: netip.AddrPortFrom(peer[0], 53), Weight: 1}}}
		route := ir.Route{Pool: "p", Masquerade: ir.MasqueradeNever, OnEmpty: ir.Reject}
		p.Pools, p.ClusterIPs = []ir.Pool{pool}, []netip.Addr{vip}
		p.Node.ServiceCIDRs = []netip.Prefix{netip.MustParsePrefix("10.96.0.0/16")}
		p.Frontends = []ir.Frontend{{
			ID: "f", Kind: ir.ClusterIP, Service: ir.ServicePort{Namespace: "n", Name: "s", Protocol: ir.UDP}, Internal: route, External: route,
			Match: ir.Match{Family: ir.IPv4, Protocol: ir.UDP, Address: vip, Port: 53},
		}}
		p.Normalize()
		var switches []string
		if rules {
			switches = []string{"packet_rules"}
		}
		w := &wire{t, vethtest.New(t, switches...)}
		if err := w.hooks.Put(p); err != nil {
			t.Fatal(err)
		}
		w.out("to a Service", udp(sealed[0], vip, 1000, 53), rules)
		w.in("its answer, translated back", udp(vip, sealed[0], 53, 1000), rules)
		w.out("to another port of it", udp(sealed[0], vip, 1000, 54), rules)
		w.out("to an address that no Service has", udp(sealed[0], netip.MustParseAddr("10.96.7.7"), 1000, 54), rules)
		w.out("to its endpoint", udp(sealed[0], peer[0], 1000, 53), false)
		w.in("to a pod", udp(vip, sealed[0], 53, 1001), false)
	}
}

// TestVethFailClosed: an address of the node's range that no pod is known to have is closed in
// both directions, but for the node.
func TestVethFailClosed(t *testing.T) {
	set := &objects.Set{
		Nodes: []objects.Sourced[*corev1.Node]{{Object: &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: corev1.NodeSpec{PodCIDRs: []string{"10.1.0.0/24"}},
			Status: corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "192.0.2.1"}}},
		}}},
		Pods: []objects.Sourced[*corev1.Pod]{{Object: &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "known"}, Spec: corev1.PodSpec{NodeName: "a"},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.1.0.2", PodIPs: []corev1.PodIP{{IP: "10.1.0.2"}}},
		}}},
	}
	p, _ := compiler.Compile(compiler.Input{Objects: set, Node: "a", Config: objects.Config{FailClosed: true}})
	w := &wire{t, vethtest.New(t)}
	if err := w.hooks.Put(p); err != nil {
		t.Fatal(err)
	}
	known, unknown := web[0], netip.MustParseAddr("10.1.0.3")
	w.out("a pod that is known", tcp(known, peer[0], 1, 2, vethtest.SYN), true)
	w.in("to a pod that is known", tcp(peer[0], known, 2, 3, vethtest.SYN), true)
	w.out("a pod that is not", tcp(unknown, peer[0], 1, 2, vethtest.SYN), false)
	w.in("to a pod that is not", tcp(peer[0], unknown, 2, 3, vethtest.SYN), false)
	passes, err := w.hooks.To(tcp(node[0], unknown, 1, 2, vethtest.SYN).Bytes(), true)
	w.wants("the node to a pod that is not", true)(passes, err)
}
