package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/e2e/internal/cluster"
	"github.com/planec/planec/e2e/internal/process"
)

// poolDefinitions are as small as the API server takes them: the projects' own are no module's.
const poolDefinitions = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ciliumloadbalancerippools.cilium.io}
spec:
  group: cilium.io
  names: {kind: CiliumLoadBalancerIPPool, plural: ciliumloadbalancerippools}
  scope: Cluster
  versions:
  - {name: v2, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ipaddresspools.metallb.io}
spec:
  group: metallb.io
  names: {kind: IPAddressPool, plural: ipaddresspools}
  scope: Namespaced
  versions:
  - {name: v1beta1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`

const somePools = `apiVersion: cilium.io/v2
kind: CiliumLoadBalancerIPPool
metadata: {name: lan}
spec: {blocks: [{cidr: 203.0.113.0/25}]}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {namespace: kube-system, name: dmz}
spec: {autoAssign: false, addresses: [198.51.100.10-198.51.100.20]}
`

// applySoon applies manifests one after the other, each as soon as the API server knows its kinds.
func applySoon(t *testing.T, c *cluster.Cluster, manifests ...string) {
	t.Helper()
	ctx := within(t, time.Minute)
	for _, text := range manifests {
		for err := c.Apply(ctx, []byte(text)); err != nil; err = c.Apply(ctx, []byte(text)) {
			if ctx.Err() != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// journal is every address that any Service had, as a watch saw it.
type journal struct {
	mu  sync.Mutex
	had map[types.NamespacedName][]string
}

// follow watches Services until the test ends.
func (s *stand) follow(t *testing.T) *journal {
	t.Helper()
	j := &journal{had: make(map[types.NamespacedName][]string)}
	w, err := s.Client().CoreV1().Services(metav1.NamespaceDefault).Watch(t.Context(), metav1.ListOptions{})
	must(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for e := range w.ResultChan() {
			if o, is := e.Object.(*corev1.Service); is && e.Type != watch.Deleted {
				j.note(o)
			}
		}
	}()
	t.Cleanup(func() {
		w.Stop()
		<-ended
	})
	return j
}

func (j *journal) note(o *corev1.Service) {
	j.mu.Lock()
	defer j.mu.Unlock()
	name := types.NamespacedName{Namespace: o.Namespace, Name: o.Name}
	for _, in := range o.Status.LoadBalancer.Ingress {
		if list := j.had[name]; len(list) == 0 || list[len(list)-1] != in.IP {
			j.had[name] = append(list, in.IP)
		}
	}
}

// check wants each of these Services to have had one address, which no other one had.
func (j *journal) check(t *testing.T, names []string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	owner := make(map[string]string)
	for _, n := range names {
		had := j.had[types.NamespacedName{Namespace: metav1.NamespaceDefault, Name: n}]
		if len(had) != 1 {
			t.Errorf("%s had %v", n, had)
		}
		for _, a := range had {
			if owner[a] != "" {
				t.Errorf("%s and %s had %s", owner[a], n, a)
			}
			owner[a] = n
		}
	}
}

// balance makes Services of type LoadBalancer, and returns their names.
func (s *stand) balance(t *testing.T, prefix string, n int) (names []string) {
	t.Helper()
	for i := range n {
		o := cluster.Service(fmt.Sprintf("%s-%02d", prefix, i), netip.Addr{})
		o.Spec.Type = corev1.ServiceTypeLoadBalancer
		_, err := s.Client().CoreV1().Services(metav1.NamespaceDefault).Create(t.Context(), o, metav1.CreateOptions{})
		must(t, err)
		names = append(names, o.Name)
	}
	return names
}

// balanced waits until all of these Services have an address.
func (s *stand) balanced(ctx context.Context, t *testing.T, names []string) {
	t.Helper()
	for _, n := range names {
		s.eventually(ctx, t, n, func(o *corev1.Service) bool { return len(o.Status.LoadBalancer.Ingress) == 1 })
	}
}

// eventually waits until a Service is as it should be.
func (s *stand) eventually(ctx context.Context, t *testing.T, name string, is func(*corev1.Service) bool) {
	t.Helper()
	for {
		o, err := s.Client().CoreV1().Services(metav1.NamespaceDefault).Get(t.Context(), name, metav1.GetOptions{})
		must(t, err)
		if is(o) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s: %+v", name, o.Status)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// leader waits until the Lease is one of another agent than before, and returns the name of its node.
func (s *stand) leader(ctx context.Context, t *testing.T, not string) string {
	t.Helper()
	for {
		l, err := s.Client().CoordinationV1().Leases("kube-system").Get(t.Context(), "planec-lb-ipam", metav1.GetOptions{})
		if err == nil && l.Spec.HolderIdentity != nil {
			node, _, _ := strings.Cut(*l.Spec.HolderIdentity, "_")
			if node != "" && node != not {
				return node
			}
		}
		if ctx.Err() != nil {
			t.Fatalf("the lease: %v %v", l, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// neighbour is the namespace of a second node, which reaches the API server.
func (s *stand) neighbour(t *testing.T) *process.Namespace {
	t.Helper()
	name := fmt.Sprintf("planec-e2e-%d", os.Getpid())
	run := func(argv ...string) {
		t.Helper()
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", argv, err, out)
		}
	}
	run("ip", "netns", "add", name)
	t.Cleanup(func() { run("ip", "netns", "delete", name) })
	must(t, s.node.Run("ip", "link", "add", "neighbour", "type", "veth", "peer", "name", "node", "netns", name))
	must(t, s.node.Run("ip", "address", "add", "198.18.0.1/30", "dev", "neighbour"))
	must(t, s.node.Run("ip", "link", "set", "neighbour", "up"))
	for _, args := range []string{"link set lo up", "address add 198.18.0.2/30 dev node", "link set node up", "route add " + nodeAddr.String() + " via 198.18.0.1"} {
		run(append([]string{"ip", "-n", name}, strings.Fields(args)...)...)
	}
	f, err := os.Open("/run/netns/" + name)
	must(t, err)
	defer f.Close() // the namespace has a copy
	return process.In(t, f)
}

// balancers are two agents that give addresses, by the names of their nodes, whose kernels have
// rules of their own.
func (s *stand) balancers(t *testing.T) map[string]*agent.Agent {
	t.Helper()
	ctx := within(t, time.Minute)
	text, err := os.ReadFile(filepath.Join("..", "deploy", "rbac-addresses.yaml"))
	must(t, err)
	must(t, s.Apply(ctx, text))
	must(t, s.CreateNode(ctx, "node-b", netip.MustParseAddr("192.0.2.11")))
	here := s.agentOptions(t, "nftables", "--lb-ipam")
	there := s.agentOptions(t, "nftables", "--lb-ipam", "--sysctls=false")
	there.Node = "node-b"
	return map[string]*agent.Agent{nodeName: agent.New(t, s.node, here), "node-b": agent.New(t, s.neighbour(t), there)}
}

// TestAddresses has two agents give addresses, one of which is killed and one stopped for longer
// than the Lease holds. No Service ever has another address than its first one.
func TestAddresses(t *testing.T) {
	s := newStand(t, append(tools, "ip")...)
	applySoon(t, s.Cluster, poolDefinitions, somePools)
	j := s.follow(t)
	agents := s.balancers(t)
	for _, a := range agents {
		start(t, a)
	}
	names := s.balance(t, "first", 20)
	s.balanced(within(t, time.Minute), t, names)
	first := s.leader(within(t, time.Minute), t, "")

	t.Run("killed", func(t *testing.T) {
		names = append(names, s.balance(t, "second", 10)...)
		must(t, agents[first].Kill())
		names = append(names, s.balance(t, "third", 10)...)
		second := s.leader(within(t, time.Minute), t, first)
		s.balanced(within(t, time.Minute), t, names)
		start(t, agents[first])
		t.Logf("%s, then %s", first, second)
	})
	t.Run("stopped", func(t *testing.T) {
		second := s.leader(within(t, time.Minute), t, "")
		must(t, agents[second].Stop())
		names = append(names, s.balance(t, "fourth", 10)...)
		s.leader(within(t, time.Minute), t, second)
		must(t, agents[second].Continue())
		names = append(names, s.balance(t, "fifth", 10)...)
		s.balanced(within(t, time.Minute), t, names)
	})
	t.Run("foreign", func(t *testing.T) { s.foreign(t, names[0]) })
	t.Run("asked", func(t *testing.T) { s.asked(t) })
	j.check(t, names[1:])
}

// foreign writes another controller's address over one, which stays, and takes a Service away
// from planec.
func (s *stand) foreign(t *testing.T, name string) {
	services := s.Client().CoreV1().Services(metav1.NamespaceDefault)
	_, err := services.Patch(t.Context(), name, types.MergePatchType, []byte(`{"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.77"}]}}}`), metav1.PatchOptions{}, "status")
	must(t, err)
	s.balanced(within(t, time.Minute), t, s.balance(t, "after", 1))
	s.eventually(within(t, time.Second), t, name, func(o *corev1.Service) bool { return o.Status.LoadBalancer.Ingress[0].IP == "192.0.2.77" })
	_, err = services.Patch(t.Context(), "after-00", types.MergePatchType, []byte(`{"spec":{"type":"ClusterIP"}}`), metav1.PatchOptions{})
	must(t, err)
	s.eventually(within(t, time.Minute), t, "after-00", func(o *corev1.Service) bool {
		return len(o.Status.LoadBalancer.Ingress) == 0 && len(o.Status.Conditions) == 0
	})
}

// asked asks for an address that there is, and for one that there is not, which is an Event.
func (s *stand) asked(t *testing.T) {
	services := s.Client().CoreV1().Services(metav1.NamespaceDefault)
	for name, ip := range map[string]string{"good": "198.51.100.15", "bad": "198.51.100.99"} {
		o := cluster.Service(name, netip.Addr{})
		o.Spec.Type, o.Annotations = corev1.ServiceTypeLoadBalancer, map[string]string{"metallb.io/loadBalancerIPs": ip}
		_, err := services.Create(t.Context(), o, metav1.CreateOptions{})
		must(t, err)
	}
	s.eventually(within(t, time.Minute), t, "good", func(o *corev1.Service) bool {
		return len(o.Status.LoadBalancer.Ingress) == 1 && o.Status.LoadBalancer.Ingress[0].IP == "198.51.100.15"
	})
	s.eventually(within(t, time.Minute), t, "bad", func(o *corev1.Service) bool {
		return len(o.Status.Conditions) == 1 && o.Status.Conditions[0].Reason == "AddressRefused"
	})
	bad, err := services.Get(t.Context(), "bad", metav1.GetOptions{})
	must(t, err)
	if e := s.event(t, bad); e.Reason != "PLC0135" {
		t.Errorf("event %s: %s", e.Reason, e.Note)
	}
}
