package compiler_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/lint"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/synth"
	"github.com/planec/planec/ir/diag"
)

// contestants are two objects of a kind of which only one can have something: the one
// that exists in the cluster, and one without a creationTimestamp, whose name and place
// sort first.
func contestants[T metav1.Object](exists, planned T) []objects.Sourced[T] {
	exists.SetCreationTimestamp(metav1.NewTime(time.Unix(1_700_000_000, 0)))
	return []objects.Sourced[T]{{Object: planned, File: "a.yaml", Line: 1}, {Object: exists, File: "b.yaml", Line: 1}}
}

func meta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

// TestWhoIsFirst wants one rule wherever two objects want the same: what exists comes
// before what has no creationTimestamp, in whatever order they are given.
func TestWhoIsFirst(t *testing.T) {
	service := func(name, ip string) *corev1.Service {
		return &corev1.Service{ObjectMeta: meta("shop", name), Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeNodePort, ClusterIP: ip, ClusterIPs: []string{ip},
			Ports: []corev1.ServicePort{{Port: 80, NodePort: 30080, Protocol: corev1.ProtocolTCP}},
		}}
	}
	node := func(ip string) *corev1.Node {
		return &corev1.Node{ObjectMeta: meta("", "node-a"), Status: corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: ip}}}}
	}
	set := objects.Set{
		Nodes:    contestants(node("192.0.2.99"), node("192.0.2.11")),
		Services: contestants(service("z", "10.96.0.20"), service("a", "10.96.0.10")),
	}
	for range 2 {
		slices.Reverse(set.Nodes)
		slices.Reverse(set.Services)
		p, said := compiler.Compile(compiler.Input{Objects: &set, Node: "node-a"})
		if !slices.Equal(p.Node.Addresses, []netip.Addr{netip.MustParseAddr("192.0.2.99")}) {
			t.Errorf("the Node that is used has %v", p.Node.Addresses)
		}
		said = append(said, lint.Services(&set, nil, nil, nil)...)
		for _, code := range []diag.Code{diag.DuplicateObject, diag.ClaimedFrontend, diag.NodePortClash} {
			if at := slices.IndexFunc(said, func(d diag.Diagnostic) bool { return d.Code == code }); at < 0 || said[at].Origin.File != "a.yaml" {
				t.Errorf("%s is not said of the object without a creationTimestamp:\n%v", code, said)
			}
		}
	}
}

// TestWhichOfTwo wants the same of two objects with one name to be used by the compiler
// and by what makes objects, for pods and for Services.
func TestWhichOfTwo(t *testing.T) {
	pod := func(label string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-0", Labels: map[string]string{"app": label}},
			Status:     corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: "10.1.0.1"}}},
		}
	}
	service := func(label string, port int32) *corev1.Service {
		return &corev1.Service{ObjectMeta: meta("shop", "web"), Spec: corev1.ServiceSpec{
			ClusterIP: "10.96.0.10", ClusterIPs: []string{"10.96.0.10"}, Selector: map[string]string{"app": label},
			Ports: []corev1.ServicePort{{Port: port, Protocol: corev1.ProtocolTCP}},
		}}
	}
	set := objects.Set{Pods: contestants(pod("web"), pod("other")), Services: contestants(service("web", 81), service("other", 80))}
	for range 2 {
		slices.Reverse(set.Pods)
		slices.Reverse(set.Services)
		made := synth.Complete(&set, synth.Options{}).Set
		p, _ := compiler.Compile(compiler.Input{Objects: &made, Node: "node-1"})
		used := set
		used.Deduplicate(new(diag.List))
		if len(used.Pods) != 1 || len(used.Services) != 1 || used.Pods[0].Object.Labels["app"] != "web" {
			t.Fatalf("kept are %v", used)
		}
		if got := fmt.Sprint(p.Frontends[0].Match); len(p.Pools) != 1 || p.Frontends[0].Match.Port != 81 {
			t.Errorf("the frontend is %s, with %d pools", got, len(p.Pools))
		}
		if len(made.EndpointSlices) == 0 || len(made.EndpointSlices[0].Object.Endpoints) != 1 {
			t.Errorf("slices that were made: %v", made.EndpointSlices)
		}
	}
}
