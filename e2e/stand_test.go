package e2e_test

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/e2e/internal/cluster"
	"github.com/planec/planec/e2e/internal/process"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// The node of these tests.
const (
	nodeName = "node-a"
	podCIDRs = "10.1.0.0/16,fd00:10:1::/48"
	// targetPort is where the pods answer.
	targetPort = 8080
)

var (
	nodeAddr = netip.MustParseAddr("192.0.2.10")
	client   = netip.MustParseAddr("10.1.0.9")
	pods     = []netip.Addr{netip.MustParseAddr("10.1.0.5"), netip.MustParseAddr("10.1.0.6")}
)

// stand is a node with a control plane on it.
type stand struct {
	rig  *testkit.Rig
	node *process.Namespace
	*cluster.Cluster
	// cgroup is where the pods open their sockets, and bpf the mount point of a BPF file
	// system: those of ebpf's programs; "" is none.
	cgroup, bpf string
}

// newStand starts one, with its Node object.
func newStand(t testing.TB, tools ...string) *stand { return standIn(t, "", tools...) }

// newProgrammedStand starts one that the agent can serve with programs too.
func newProgrammedStand(t testing.TB, tools ...string) *stand {
	t.Helper()
	testkit.Require(t, append(tools, "unshare", "mount", "umount")...)
	s := standIn(t, testkit.Cgroup(t, live.CgroupRoot()), tools...)
	must(t, s.rig.JoinCgroup(s.cgroup))
	// A client's timestamps begin at a number that depends on the address that its socket
	// connects to, which a switch to programs and back changes: a SYN would look older than
	// the last connection of its ports, whose end the server still waits for, and would have
	// to be sent again. Without such a number time goes on.
	must(t, s.rig.Outside(func() error { return os.WriteFile("/proc/sys/net/ipv4/tcp_timestamps", []byte("2"), 0) }))
	s.bpf = t.TempDir()
	if out, err := exec.Command("mount", "-t", "bpf", "bpf", s.bpf).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", s.bpf).Run() }) // it is lost with the machine at last
	return s
}

func standIn(t testing.TB, cgroup string, tools ...string) *stand {
	t.Helper()
	return standOf(t, cgroup, "", tools...)
}

// standOf is a stand with the given ranges of ClusterIPs; "" are those of all tests.
func standOf(t testing.TB, cgroup, ranges string, tools ...string) *stand {
	t.Helper()
	testkit.Require(t, tools...)
	s := &stand{cgroup: cgroup, rig: testkit.New(t, testkit.Spec{
		NodeAddrs: []netip.Addr{nodeAddr, netip.MustParseAddr("2001:db8::10")},
		Pods:      append([]netip.Addr{client}, pods...),
		Ports:     []testkit.Port{{Protocol: ir.TCP, Number: targetPort}, {Protocol: ir.UDP, Number: targetPort}},
	})}
	s.node = process.In(t, s.rig.NodeNamespace())
	s.Cluster = cluster.Start(t, s.node, cluster.Options{Address: nodeAddr, ServiceRanges: ranges})
	if err := s.CreateNode(t.Context(), nodeName, nodeAddr); err != nil {
		t.Fatal(err)
	}
	return s
}

// fromAll is a flow from as many pods as it takes that no port is used again
// while the server's end of its last connection waits (TIME_WAIT, a minute): a
// SYN that meets one may have to be sent again, whichever program made the rules.
func fromAll(f testkit.Flow) (flows []testkit.Flow) {
	for i := range byte(16) {
		f.Src = netip.AddrFrom4([4]byte{10, 1, 1, 1 + i})
		flows = append(flows, f)
	}
	return flows
}

// within bounds a step of a test.
func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// must ends the test at an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// serve makes a Service with endpoints of the two pods, and returns the flow of
// a pod's connection to it.
func (s *stand) serve(t testing.TB, name, ip string) testkit.Flow {
	t.Helper()
	addr := netip.MustParseAddr(ip)
	_, err := s.Client().CoreV1().Services(metav1.NamespaceDefault).Create(t.Context(), cluster.Service(name, addr), metav1.CreateOptions{})
	must(t, err)
	_, err = s.Client().DiscoveryV1().EndpointSlices(metav1.NamespaceDefault).
		Create(t.Context(), cluster.Slice(name, nodeName, targetPort, pods...), metav1.CreateOptions{})
	must(t, err)
	return testkit.Flow{From: eval.FromPod, Src: client, Dst: addr, Port: 80, Protocol: ir.TCP}
}

// trier makes connections: a rig, or a load that has one.
type trier interface {
	Try(context.Context, []testkit.Flow) ([]testkit.Outcome, error)
}

// idle is a rig that has no load.
type idle struct{ *testkit.Rig }

func (r idle) Try(ctx context.Context, flows []testkit.Flow) ([]testkit.Outcome, error) {
	return r.Rig.Try(ctx, flows, testkit.DefaultTimeout)
}

// served waits until a flow's connections are answered by the pods. Without
// rules they are answered too, by the world, at the Service's own address.
func served(ctx context.Context, t testing.TB, by trier, f testkit.Flow) {
	t.Helper()
	for {
		outcomes, err := by.Try(t.Context(), []testkit.Flow{f})
		must(t, err)
		if slices.Contains(pods, outcomes[0].Endpoint.Addr()) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%v: %v", f, outcomes[0])
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// agentOptions are for an agent with the rights that deploy/ gives it, and no
// more: every test of the agent is one of these too.
func (s *stand) agentOptions(t testing.TB, backend string, flags ...string) agent.Options {
	t.Helper()
	ctx := within(t, time.Minute)
	for _, file := range []string{"rbac.yaml", "rbac-policies.yaml"} {
		manifest, err := os.ReadFile(filepath.Join("..", "deploy", file))
		must(t, err)
		must(t, s.Apply(ctx, manifest))
	}
	kubeconfig, err := s.ServiceAccountKubeconfig(ctx, "kube-system", "planec-agent")
	must(t, err)
	o := agent.Options{Node: nodeName, Backend: backend, Kubeconfig: kubeconfig, ClusterCIDR: podCIDRs, Flags: flags}
	s.on(&o, backend)
	return o
}

// on sets the backend of an agent. The programs of ebpf never go to the machine's root cgroup.
func (s *stand) on(o *agent.Options, backend string) {
	o.Backend, o.Cgroup = backend, ""
	if backend == "ebpf" {
		o.Cgroup = s.cgroup
	}
	if s.bpf != "" { // every backend's agent looks there for what another one left
		o.Wrap = []string{"unshare", "--mount", "--propagation", "private", "sh", "-c", `mount --bind "$0" /sys/fs/bpf && exec "$@"`, s.bpf}
	}
}

// start starts an agent and waits until its rules are in.
func start(t testing.TB, a *agent.Agent) {
	t.Helper()
	must(t, a.Start())
	must(t, a.Applied(within(t, time.Minute)))
}

// values are an agent's metrics now.
func values(t testing.TB, a *agent.Agent) agent.Values {
	t.Helper()
	v, err := a.Values(within(t, 10*time.Second))
	must(t, err)
	return v
}

// tools are what the agent's backends and the looks at their rules need.
var tools = []string{"nft", "ipset", "iptables-restore", "ip6tables-restore", "iptables-legacy-save", "iptables-nft-save"}
