package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/e2e/internal/cluster"
	"github.com/planec/planec/e2e/internal/process"
	"github.com/planec/planec/internal/testing/testkit"
)

// A segment with a control plane, two nodes, a client and a server.
const (
	announced4 = "192.0.2.50"
	announced6 = "fd00:2::50"
	server4    = "192.0.2.200"
	server6    = "fd00:2::200"
	// mostWait is the longest time for which a client's connections may wait.
	mostWait = 3 * time.Second
)

const layer2Definitions = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ciliuml2announcementpolicies.cilium.io}
spec:
  group: cilium.io
  names: {kind: CiliumL2AnnouncementPolicy, plural: ciliuml2announcementpolicies}
  scope: Cluster
  versions:
  - {name: v2alpha1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`

const somePolicy = `apiVersion: cilium.io/v2alpha1
kind: CiliumL2AnnouncementPolicy
metadata: {name: lan}
spec: {loadBalancerIPs: true, interfaces: [^lan$]}
`

// segment is a bridge with namespaces on it.
type segment struct {
	*cluster.Cluster
	prefix string
	in     map[string]*process.Namespace
}

func newSegment(t *testing.T) *segment {
	t.Helper()
	testkit.Require(t, "ip", "nft")
	s := &segment{prefix: fmt.Sprintf("planec-l2-%d-", os.Getpid()), in: make(map[string]*process.Namespace)}
	s.add(t, "control", "192.0.2.1", "fd00:2::1")
	s.add(t, "node-a", "192.0.2.10", "fd00:2::10")
	s.add(t, "node-b", "192.0.2.11", "fd00:2::11")
	s.add(t, "client", "192.0.2.100", "fd00:2::100")
	s.add(t, "server", server4, server6)
	for _, n := range []string{"node-a", "node-b"} {
		must(t, s.in[n].Run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding; echo 0 > /proc/sys/net/ipv4/conf/all/send_redirects; echo 0 > /proc/sys/net/ipv4/conf/lan/send_redirects"))
	}
	s.Cluster = cluster.Start(t, s.in["control"], cluster.Options{Address: netip.MustParseAddr("192.0.2.1"), ServiceRanges: "10.96.0.0/12,fd00:96::/112"})
	return s
}

// add makes a namespace whose interface lan is on the segment: the bridge is in the first.
func (s *segment) add(t *testing.T, name string, addresses ...string) {
	t.Helper()
	run := func(args string) {
		t.Helper()
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", args, err, out)
		}
	}
	ns := s.prefix + name
	run("netns add " + ns)
	t.Cleanup(func() { run("netns delete " + ns) })
	run("-n " + ns + " link set lo up")
	if len(s.in) == 0 {
		run("-n " + ns + " link add lan type bridge")
	} else {
		run("-n " + ns + " link add lan type veth peer name " + name + " netns " + s.prefix + "control")
		run("-n " + s.prefix + "control link set " + name + " master lan up")
	}
	for _, a := range addresses {
		bits := "/24"
		if strings.Contains(a, ":") {
			bits = "/64 nodad"
		}
		run("-n " + ns + " address add " + a + bits + " dev lan")
	}
	run("-n " + ns + " link set lan up")
	f, err := os.Open("/run/netns/" + ns)
	must(t, err)
	defer f.Close()
	s.in[name] = process.In(t, f)
}

// serve answers connections in the server's namespace with its name.
func (s *segment) serve(t *testing.T) {
	t.Helper()
	must(t, s.in["server"].Do(func() error {
		l, err := net.Listen("tcp", ":8080")
		if err != nil {
			return err
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					_, _ = io.WriteString(c, "served") // the client sees what is missing
				}()
			}
		}()
		return nil
	}))
}

// service is announced; its endpoints are the server, on a node.
func (s *segment) service(t *testing.T, node string) {
	t.Helper()
	ctx := within(t, time.Minute)
	o := cluster.Service("web", netip.Addr{})
	o.Spec.Type, o.Spec.IPFamilyPolicy = corev1.ServiceTypeLoadBalancer, new(corev1.IPFamilyPolicyRequireDualStack)
	made, err := s.Client().CoreV1().Services(metav1.NamespaceDefault).Create(ctx, o, metav1.CreateOptions{})
	must(t, err)
	made.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: announced4}, {IP: announced6}}
	_, err = s.Client().CoreV1().Services(metav1.NamespaceDefault).UpdateStatus(ctx, made, metav1.UpdateOptions{})
	must(t, err)
	for i, address := range []string{server4, server6} {
		slice := cluster.Slice("web", node, 8080, netip.MustParseAddr(address))
		if slice.Name += fmt.Sprint(i); i == 1 {
			slice.AddressType = discoveryv1.AddressTypeIPv6
		}
		_, err = s.Client().DiscoveryV1().EndpointSlices(metav1.NamespaceDefault).Create(ctx, slice, metav1.CreateOptions{})
		must(t, err)
	}
}

// agents are those of the two nodes, started.
func (s *segment) agents(t *testing.T) map[string]*agent.Agent {
	t.Helper()
	ctx := within(t, time.Minute)
	for _, file := range []string{"rbac.yaml", "rbac-layer2.yaml"} {
		manifest, err := os.ReadFile(filepath.Join("..", "deploy", file))
		must(t, err)
		must(t, s.Apply(ctx, manifest))
	}
	kubeconfig, err := s.ServiceAccountKubeconfig(ctx, "kube-system", "planec-agent")
	must(t, err)
	out := make(map[string]*agent.Agent)
	for i, n := range []string{"node-a", "node-b"} {
		must(t, s.CreateNode(ctx, n, netip.MustParseAddr(fmt.Sprintf("192.0.2.1%d", i)), netip.MustParseAddr(fmt.Sprintf("fd00:2::1%d", i))))
		out[n] = agent.New(t, s.in[n], agent.Options{
			Node: n, Backend: "nftables", Kubeconfig: kubeconfig, ClusterCIDR: "10.1.0.0/16,fd00:10:1::/48", Flags: []string{"--l2-announce", "--sysctls=false"},
		})
		start(t, out[n])
	}
	return out
}

// TestLayer2 connects through an address that nodes answer for, while the one that does is
// killed, hangs, loses the last local endpoint and ends.
func TestLayer2(t *testing.T) {
	s := newSegment(t)
	applySoon(t, s.Cluster, layer2Definitions, somePolicy)
	s.serve(t)
	agents := s.agents(t)
	s.service(t, "node-a")
	w := s.watch(t)
	s.connects(t, 30*time.Second)
	first := w.speaker(t)
	other := map[string]string{"node-a": "node-b", "node-b": "node-a"}

	t.Run("killed", func(t *testing.T) {
		must(t, agents[first].Kill())
		must(t, s.in["control"].Run("ip", "link", "set", first, "down")) // the machine is gone
		t.Logf("the longest wait was %v", s.connects(t, mostWait))
		w.moved(t, other[first])
		must(t, s.in["control"].Run("ip", "link", "set", first, "up"))
		start(t, agents[first])
		s.connects(t, mostWait)
		w.moved(t, other[first]) // it does not move back without a cause
	})
	t.Run("hangs", func(t *testing.T) {
		// Its rules are in its kernel, so who knows it is served all the time.
		must(t, agents[other[first]].Stop())
		w.becomes(t, first)
		s.connects(t, mostWait)
		must(t, agents[other[first]].Continue())
		time.Sleep(500 * time.Millisecond)
		s.connects(t, mostWait)
		w.moved(t, first)
	})
	t.Run("local", func(t *testing.T) {
		_, err := s.Client().CoreV1().Services(metav1.NamespaceDefault).Patch(t.Context(), "web", types.MergePatchType, []byte(`{"spec":{"externalTrafficPolicy":"Local"}}`), metav1.PatchOptions{})
		must(t, err)
		for _, n := range []string{other[first], first} {
			for i := range 2 {
				name := fmt.Sprintf("web-e2e%d", i)
				_, err := s.Client().DiscoveryV1().EndpointSlices(metav1.NamespaceDefault).Patch(t.Context(), name, types.JSONPatchType, fmt.Appendf(nil, `[{"op":"replace","path":"/endpoints/0/nodeName","value":%q}]`, n), metav1.PatchOptions{})
				must(t, err)
			}
			w.becomes(t, n)
		}
	})
	t.Run("ends", func(t *testing.T) {
		_, err := s.Client().CoreV1().Services(metav1.NamespaceDefault).Patch(t.Context(), "web", types.MergePatchType, []byte(`{"spec":{"externalTrafficPolicy":"Cluster"}}`), metav1.PatchOptions{})
		must(t, err)
		s.connects(t, mostWait)
		must(t, agents[first].Terminate(10*time.Second))
		t.Logf("the longest wait was %v", s.connects(t, mostWait))
		w.becomes(t, other[first])
	})
	w.check(t)
}

// connects opens connections through both addresses for a while, and returns the longest time
// between two that were served, which must not be more than most.
func (s *segment) connects(t *testing.T, most time.Duration) time.Duration {
	t.Helper()
	var longest time.Duration
	for _, a := range []string{announced4, announced6} {
		last, served := time.Now(), 0
		for end := last.Add(most + time.Second); time.Now().Before(end) && served < 20; {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			if err := s.connect(ctx, a); err == nil {
				served++
				longest, last = max(longest, time.Since(last)), time.Now()
			}
			cancel()
		}
		if longest = max(longest, time.Since(last)); longest > most || served == 0 {
			out, _ := exec.Command("ip", "-n", s.prefix+"client", "neigh").CombinedOutput() // the test fails anyway
			t.Fatalf("%s: a connection waited for %v, %d were served; neighbours of the client:\n%s", a, longest, served, out)
		}
	}
	return longest
}

func (s *segment) connect(ctx context.Context, to string) error {
	c, err := s.in["client"].Dial(ctx, "tcp", net.JoinHostPort(to, "80"))
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(200 * time.Millisecond)) // reading fails if it fails
	text, err := io.ReadAll(c)
	if err == nil && string(text) != "served" {
		err = errors.New("nothing was served")
	}
	return err
}

// watcher asks for the announced address all the time, and notes who answers.
type watcher struct {
	nodes map[[6]byte]string
	mu    sync.Mutex
	// heard are the nodes that answered, one after the other, and when each was heard last.
	heard []string
	last  time.Time
	all   int
}

func (s *segment) watch(t *testing.T) *watcher {
	t.Helper()
	w := &watcher{nodes: make(map[[6]byte]string)}
	for _, n := range []string{"node-a", "node-b", "client"} {
		must(t, s.in[n].Do(func() error {
			l, err := net.InterfaceByName("lan")
			if err == nil {
				w.nodes[[6]byte(l.HardwareAddr)] = n
			}
			return err
		}))
	}
	var fd int
	var own [6]byte
	must(t, s.in["client"].Do(func() (err error) {
		l, err := net.InterfaceByName("lan")
		if err != nil {
			return err
		}
		own = [6]byte(l.HardwareAddr)
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0x0608); err != nil {
			return err
		}
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: 0x0608, Ifindex: l.Index})
	}))
	must(t, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 20000}))
	stop, done := make(chan struct{}), make(chan struct{})
	go w.run(fd, own, stop, done)
	t.Cleanup(func() {
		close(stop)
		<-done
		unix.Close(fd)
	})
	return w
}

// run asks every 20 ms.
func (w *watcher) run(fd int, own [6]byte, stop, done chan struct{}) {
	defer close(done)
	target, sender := netip.MustParseAddr(announced4).As4(), netip.MustParseAddr("192.0.2.100").As4()
	request := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, own[:]...)
	request = append(request, 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1)
	request = append(append(request, own[:]...), sender[:]...)
	request = append(append(request, 0, 0, 0, 0, 0, 0), target[:]...)
	buffer := make([]byte, 2048)
	for asked := (time.Time{}); ; {
		select {
		case <-stop:
			return
		default:
		}
		if time.Since(asked) > 20*time.Millisecond {
			asked = time.Now()
			_, _ = unix.Write(fd, request) // an answer is missing then
		}
		n, _, err := unix.Recvfrom(fd, buffer, 0)
		if err != nil || n < 42 || buffer[21] != 2 || [4]byte(buffer[28:32]) != target {
			continue
		}
		w.note([6]byte(buffer[22:28]))
	}
}

func (w *watcher) note(mac [6]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := w.nodes[mac]
	if len(w.heard) == 0 || w.heard[len(w.heard)-1] != name {
		w.heard = append(w.heard, name)
	}
	w.last, w.all = time.Now(), w.all+1
}

// speaker is the node that answers.
func (w *watcher) speaker(t *testing.T) string {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		w.mu.Lock()
		heard := w.heard
		w.mu.Unlock()
		if len(heard) > 0 {
			return heard[len(heard)-1]
		}
		if time.Now().After(end) {
			t.Fatal("no node answers")
		}
	}
}

// moved checks that the node answers now.
func (w *watcher) moved(t *testing.T, to string) {
	t.Helper()
	if now := w.speaker(t); now != to {
		t.Fatalf("%s answers, not %s", now, to)
	}
}

// becomes waits until the node answers.
func (w *watcher) becomes(t *testing.T, node string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); w.speaker(t) != node; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s does not answer", node)
		}
	}
}

// check lists who answered: two at once would be two that take turns.
func (w *watcher) check(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Logf("%d answers, by %s", w.all, strings.Join(w.heard, ", "))
	if len(w.heard) > 6 || w.all < 40 {
		t.Errorf("two nodes answered at once")
	}
}
