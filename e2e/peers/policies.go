package peers

import (
	"errors"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/clustergen"
	"golang.org/x/sys/unix"
)

// server is what the last policy lets the pod connect to.
var server = netip.MustParseAddr("10.250.0.1")

// policyPort is the port of a policy; no two are neighbours, so that they make no range.
func policyPort(i int) uint16 { return uint16(10001 + 2*i) }

// policySet is a node whose pod as many policies select. Each allows it a port at ten
// addresses; the server is one of the last.
func policySet(policies int) objects.Set {
	set := clustergen.Objects(clustergen.Size{Nodes: 1})
	set.Namespaces = []objects.Sourced[*corev1.Namespace]{{Object: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}}}
	labels := map[string]string{"app": "web"}
	set.Pods = []objects.Sourced[*corev1.Pod]{{Object: &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-0", Labels: labels},
		Spec:       corev1.PodSpec{NodeName: set.Nodes[0].Object.Name},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, PodIP: podAddress.String(), PodIPs: []corev1.PodIP{{IP: podAddress.String()}}},
	}}}
	for i := range policies {
		set.NetworkPolicies = append(set.NetworkPolicies, objects.Sourced[*networkingv1.NetworkPolicy]{Object: policy(i, labels, i == policies-1)})
	}
	return set
}

func policy(i int, labels map[string]string, withServer bool) *networkingv1.NetworkPolicy {
	var peers []networkingv1.NetworkPolicyPeer
	for j := range 10 {
		a := netip.AddrFrom4([4]byte{10, 240 + byte(i>>8), byte(i), byte(j)})
		if withServer && j == 9 {
			a = server
		}
		peers = append(peers, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: a.String() + "/32"}})
	}
	tcp, port := corev1.ProtocolTCP, intstr.FromInt32(int32(policyPort(i)))
	return &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprintf("policy-%04d", i)},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: labels}, PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
			Egress: []networkingv1.NetworkPolicyEgressRule{{To: peers, Ports: []networkingv1.NetworkPolicyPort{{Protocol: &tcp, Port: &port}}}},
		},
	}
}

// connection is one between the pod and the server.
type connection struct{ client, server int }

func (c *connection) close() error { return errors.Join(unix.Close(c.client), unix.Close(c.server)) }

// serve opens the server's port.
func (n *node) serve(at netip.AddrPort) (listener int, err error) {
	err = n.rig.Outside(func() error {
		if listener, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return fmt.Errorf("socket: %w", err)
		}
		return errors.Join(unix.Bind(listener, sockaddr(at)), unix.Listen(listener, 4096))
	})
	return listener, err
}

// established connects the pod to the server.
func (n *node) established(listener int, at netip.AddrPort) (c connection, err error) {
	err = n.inPod(func() error {
		if c.client, err = podSocket(); err != nil {
			return err
		}
		if err := unix.Connect(c.client, sockaddr(at)); err != nil {
			return fmt.Errorf("connect to %v: %w", at, err)
		}
		return nil
	})
	if err != nil {
		return c, err
	}
	c.server, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
	return c, err
}

// cost is the CPU time of a request and its answer, in ns, of so many. The kernel carries a
// packet the whole way in the time of the thread that sends it.
func (c *connection) cost(n *node, times int) (ns float64, err error) {
	buf := make([]byte, 64)
	err = n.inPod(func() error {
		var before, after unix.Timespec
		err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &before)
		for range times {
			for _, way := range [][2]int{{c.client, c.server}, {c.server, c.client}} {
				_, sent := unix.Write(way[0], buf)
				_, got := unix.Read(way[1], buf)
				if err := errors.Join(sent, got); err != nil {
					return err
				}
			}
		}
		err = errors.Join(err, unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &after))
		ns = float64(after.Nano()-before.Nano()) / float64(times)
		return err
	})
	return ns, err
}
