// Package flows holds the flows that planec keeps against those that kube-proxy keeps,
// by kube-proxy's own function.
package flows

import (
	"fmt"
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
	"github.com/planec/planec/internal/agent/conntrack"
	"github.com/planec/planec/ir"
)

// flow is a flow to a port of the Service, by one of its addresses or by the
// number of its nodePort at any address.
type flow struct {
	*conntrack.Flow
	port     port
	nodePort bool
}

// flows are from one client: one to every address of the Service and its nodePorts,
// and to the nodePorts' numbers elsewhere, for every endpoint and for pods that are none.
func (s *state) flows() (out []flow) {
	from := netip.AddrPortFrom(netip.MustParseAddr(s.client), 4000)
	for _, p := range ports {
		for _, dst := range []string{s.clusterIP, s.balancer, s.external, s.node, s.elsewhere} {
			number, nodePort := p.number, dst == s.node || dst == s.elsewhere
			if nodePort {
				number = p.nodePort
			}
			for i := range pods + 2 {
				to := netip.AddrPortFrom(netip.MustParseAddr(fmt.Sprintf(s.pod, i+1)), p.endpointNumber)
				out = append(out, flow{port: p, nodePort: nodePort, Flow: &conntrack.Flow{
					Protocol: p.protocol, Src: from, Dst: netip.AddrPortFrom(netip.MustParseAddr(dst), number), ReplySrc: to, ReplyDst: from,
				}})
			}
		}
	}
	return out
}

// compile is the state's program on the node a.
func (s *state) compile() *ir.Program {
	set := &objects.Set{
		Services: []objects.Sourced[*corev1.Service]{{Object: s.service}},
		Nodes: []objects.Sourced[*corev1.Node]{{Object: &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{corev1.LabelTopologyZone: "za"}},
			Status:     corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: s.node}}},
		}}},
	}
	for _, slice := range s.slices {
		set.EndpointSlices = append(set.EndpointSlices, objects.Sourced[*discoveryv1.EndpointSlice]{Object: slice})
	}
	program, _ := compiler.Compile(compiler.Input{Objects: set, Node: "a"})
	return program
}

// table is a tracking table of kube-proxy's interface.
type table struct{ entries, removed []*netlink.ConntrackFlow }

func (t *table) ListEntries(uint8) ([]*netlink.ConntrackFlow, error) { return t.entries, nil }

func (t *table) DeleteEntries(_ uint8, flows []*netlink.ConntrackFlow) (int, error) {
	t.removed = append(t.removed, flows...)
	return len(flows), nil
}

// kubeProxy says of each flow whether kube-proxy on the node a ends it.
func (s *state) kubeProxy(flows []flow) []bool {
	services, endpoints := make(proxy.ServicePortMap), make(proxy.EndpointsMap)
	st := proxy.NewServiceChangeTracker(s.ip, nil, nil)
	st.Update(nil, s.service)
	services.Update(st)
	et := proxy.NewEndpointsChangeTracker(s.ip, "a", nil, nil)
	for _, slice := range s.slices {
		et.EndpointSliceUpdate(slice, false)
	}
	endpoints.Update(et)
	all := &table{}
	for _, f := range flows {
		all.entries = append(all.entries, &netlink.ConntrackFlow{
			Forward: tuple(f.Protocol, f.Src, f.Dst), Reverse: tuple(f.Protocol, f.ReplySrc, f.ReplyDst),
		})
	}
	kubeconntrack.CleanStaleEntries(all, s.ip, services, endpoints)
	gone := make(map[*netlink.ConntrackFlow]bool)
	for _, f := range all.removed {
		gone[f] = true
	}
	out := make([]bool, len(flows))
	for i := range flows {
		out[i] = gone[all.entries[i]]
	}
	return out
}

func tuple(p ir.Protocol, src, dst netip.AddrPort) netlink.IPTuple {
	number := uint8(unix.IPPROTO_UDP)
	if p == ir.SCTP {
		number = unix.IPPROTO_SCTP
	}
	return netlink.IPTuple{
		Protocol: number, SrcIP: net.IP(src.Addr().AsSlice()), SrcPort: src.Port(), DstIP: net.IP(dst.Addr().AsSlice()), DstPort: dst.Port(),
	}
}

// The differences that are meant; docs/tasks/migrate-from-kube-proxy.md has them.
const (
	sctp      = "SCTP: kube-proxy ends none, planec those that it would end if they were UDP"
	empty     = "a nodePort, and no endpoint serves: kube-proxy ends none, for it does not look at the address"
	elsewhere = "the number of a nodePort at an address that is not the node's: planec ends none"
	published = "an endpoint that takes new connections and does not serve: planec keeps its flows"
)

// difference says which of them a flow is about, and whether planec ends it.
func (s *state) difference(f flow, p *ir.Program, serving map[netip.Addr]bool) (name string, ends bool) {
	to := f.ReplySrc.Addr()
	takes := offered(p, f)
	switch {
	case f.nodePort && f.Dst.Addr().String() == s.elsewhere:
		return elsewhere, false
	case f.Protocol == ir.SCTP:
		return sctp, !serving[to] && !takes
	case takes && !serving[to]:
		return published, false
	case f.nodePort && len(serving) == 0:
		return empty, true
	}
	return "", false
}

// offered reports whether new connections to where the flow went may get its endpoint.
func offered(p *ir.Program, f flow) bool {
	for _, front := range p.Frontends {
		m := front.Match
		if m.Protocol != f.Protocol || m.Port != f.Dst.Port() || m.Address.IsValid() && m.Address != f.Dst.Addr() {
			continue
		}
		for _, pool := range p.Pools {
			if pool.ID != front.Internal.Pool && pool.ID != front.External.Pool {
				continue
			}
			for _, e := range pool.Endpoints {
				if e.Address == f.ReplySrc {
					return true
				}
			}
		}
	}
	return false
}

// enough is how many flows there must be of each difference, and of each of the kinds
// that both keep or end, for the test to show anything.
const enough = 100

// TestAsKubeProxy asks both, in states at random: with endpoints that serve, with such
// that do not, and without any. Where planec means to differ, each does what is said of it.
func TestAsKubeProxy(t *testing.T) {
	count := make(map[string]int)
	for seed := range uint64(500) {
		s := newState(seed)
		program := s.compile()
		stale, flows := conntrack.Stale(nil, program).Stale(), s.flows()
		for i, theirs := range s.kubeProxy(flows) {
			f := flows[i]
			serving := s.serving(f.port)
			name, want := s.difference(f, program, serving)
			if name == "" {
				want = theirs
			}
			if got := stale(f.Flow); got != want {
				t.Errorf("seed %d: %v to %v: planec ends it: %v, kube-proxy: %v (%s)", seed, f.Dst, f.ReplySrc, got, theirs, name)
			}
			if want == theirs {
				name = fmt.Sprintf("both end it: %v, an endpoint serves: %v", theirs, len(serving) > 0)
			}
			count[name]++
		}
	}
	for _, name := range []string{
		"both end it: true, an endpoint serves: true", "both end it: true, an endpoint serves: false",
		"both end it: false, an endpoint serves: true", "both end it: false, an endpoint serves: false",
		sctp, empty, elsewhere, published,
	} {
		t.Logf("%5d flows: %s", count[name], name)
		if count[name] < enough {
			t.Errorf("that is too few: %s", name)
		}
	}
}
