// Package flows holds the flows that planec keeps against those that kube-proxy keeps,
// by kube-proxy's own function.
package flows

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/proxy"
	kubeconntrack "k8s.io/kubernetes/pkg/proxy/conntrack"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/conntrack"
	"github.com/planec/planec/ir"
)

const (
	node      = "192.0.2.11"
	clusterIP = "10.96.0.10"
	balancer  = "198.51.100.10"
	external  = "203.0.113.200"
)

// state is a Service with its slice, at random.
func state(rng *rand.Rand) (*corev1.Service, *discoveryv1.EndpointSlice) {
	svc := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "dns"}, Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeLoadBalancer, ClusterIP: clusterIP, ClusterIPs: []string{clusterIP}, ExternalIPs: []string{external},
		IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol},
		Ports:      []corev1.ServicePort{{Name: "dns", Protocol: corev1.ProtocolUDP, Port: 53, NodePort: 30053}},
	}}
	svc.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: balancer}}
	if rng.IntN(2) == 0 {
		svc.Spec.ExternalTrafficPolicy, svc.Spec.HealthCheckNodePort = corev1.ServiceExternalTrafficPolicyLocal, 31090
	}
	if rng.IntN(2) == 0 {
		local := corev1.ServiceInternalTrafficPolicyLocal
		svc.Spec.InternalTrafficPolicy = &local
	}
	name, proto, port := "dns", corev1.ProtocolUDP, int32(5353)
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "n", Name: "dns-a", Labels: map[string]string{discoveryv1.LabelServiceName: "dns"}},
		AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: &name, Protocol: &proto, Port: &port}},
	}
	hinted := rng.IntN(2) == 0
	for i := range 6 {
		if rng.IntN(4) == 0 {
			continue
		}
		on := []string{"a", "b"}[rng.IntN(2)]
		serving, terminating := rng.IntN(3) > 0, rng.IntN(3) == 0
		ready := serving && !terminating && rng.IntN(4) > 0
		e := discoveryv1.Endpoint{
			Addresses: []string{fmt.Sprintf("10.1.0.%d", i+1)}, NodeName: &on,
			Conditions: discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating},
		}
		if hinted {
			e.Hints = &discoveryv1.EndpointHints{ForNodes: []discoveryv1.ForNode{{Name: on}}, ForZones: []discoveryv1.ForZone{{Name: "z" + on}}}
		}
		slice.Endpoints = append(slice.Endpoints, e)
	}
	return svc, slice
}

// table is a tracking table of kube-proxy's interface.
type table struct{ entries, removed []*netlink.ConntrackFlow }

func (t *table) ListEntries(uint8) ([]*netlink.ConntrackFlow, error) { return t.entries, nil }

func (t *table) DeleteEntries(_ uint8, flows []*netlink.ConntrackFlow) (int, error) {
	t.removed = append(t.removed, flows...)
	return len(flows), nil
}

// TestAsKubeProxy asks both about a flow from every frontend to every endpoint, in
// states at random with at least one endpoint that serves: without any, 1.37 and planec
// end all flows to addresses, planec those to nodePorts too, and 1.36 ended none.
func TestAsKubeProxy(t *testing.T) {
	kept, removed := 0, 0
	for seed := range uint64(500) {
		svc, slice := state(rand.New(rand.NewPCG(seed, 1)))
		serves := false
		for _, e := range slice.Endpoints {
			serves = serves || *e.Conditions.Serving
		}
		if !serves {
			continue
		}
		set := &objects.Set{
			Services:       []objects.Sourced[*corev1.Service]{{Object: svc}},
			EndpointSlices: []objects.Sourced[*discoveryv1.EndpointSlice]{{Object: slice}},
			Nodes: []objects.Sourced[*corev1.Node]{{Object: &corev1.Node{
				ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{corev1.LabelTopologyZone: "za"}},
				Status:     corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: node}}},
			}}},
		}
		program, _ := compiler.Compile(compiler.Input{Objects: set, Node: "a"})
		stale := conntrack.Stale(nil, program).Stale()

		services, endpoints := make(proxy.ServicePortMap), make(proxy.EndpointsMap)
		st := proxy.NewServiceChangeTracker(corev1.IPv4Protocol, nil, nil)
		st.Update(nil, svc)
		services.Update(st)
		et := proxy.NewEndpointsChangeTracker(corev1.IPv4Protocol, "a", nil, nil)
		et.EndpointSliceUpdate(slice, false)
		endpoints.Update(et)

		theirs := &table{}
		var ours []*conntrack.Flow
		for _, dst := range []string{clusterIP + ":53", balancer + ":53", external + ":53", node + ":30053"} {
			for i := range 8 { // two more than there are
				f := &conntrack.Flow{
					Protocol: ir.UDP, Src: netip.MustParseAddrPort("203.0.113.7:4000"), Dst: netip.MustParseAddrPort(dst),
					ReplySrc: netip.MustParseAddrPort(fmt.Sprintf("10.1.0.%d:5353", i+1)), ReplyDst: netip.MustParseAddrPort("203.0.113.7:4000"),
				}
				ours = append(ours, f)
				theirs.entries = append(theirs.entries, &netlink.ConntrackFlow{
					FamilyType: unix.AF_INET,
					Forward:    tuple(f.Src, f.Dst), Reverse: tuple(f.ReplySrc, f.ReplyDst),
				})
			}
		}
		kubeconntrack.CleanStaleEntries(theirs, corev1.IPv4Protocol, services, endpoints)
		gone := make(map[*netlink.ConntrackFlow]bool)
		for _, f := range theirs.removed {
			gone[f] = true
		}
		for i, f := range ours {
			want := gone[theirs.entries[i]]
			if got := stale(f); got != want {
				t.Errorf("seed %d: %v to %v: planec ends it: %v, kube-proxy: %v", seed, f.Dst, f.ReplySrc, got, want)
			}
			if want {
				removed++
			} else {
				kept++
			}
		}
	}
	t.Logf("%d flows kept, %d ended", kept, removed)
	if kept < 1000 || removed < 1000 {
		t.Error("that is too few to show anything")
	}
}

func tuple(src, dst netip.AddrPort) netlink.IPTuple {
	return netlink.IPTuple{
		Protocol: unix.IPPROTO_UDP, SrcIP: net.IP(src.Addr().AsSlice()), SrcPort: src.Port(), DstIP: net.IP(dst.Addr().AsSlice()), DstPort: dst.Port(),
	}
}
