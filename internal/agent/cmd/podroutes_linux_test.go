package cmd_test

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/testing/testkit"
)

// routed is a cluster of namespaces with an agent on each node.
type routed struct {
	*testing.T
	*testkit.PodCluster
	dir    string
	args   []string
	agents map[string]*exec.Cmd
	logs   map[string]*buffer
	states map[string]string
}

func newRouted(t *testing.T, mode string) *routed {
	testkit.Require(t, "nft", "ip", "bridge")
	r := &routed{
		T: t, PodCluster: testkit.NewPodCluster(t), dir: t.TempDir(), agents: make(map[string]*exec.Cmd), logs: make(map[string]*buffer), states: make(map[string]string),
		args: []string{"--policies", "--cluster-cidr", "10.244.0.0/16,fd00::/16", "--service-cidr", "10.96.0.0/16", "--pod-routes", mode},
	}
	t.Cleanup(func() {
		for name := range r.agents {
			r.kill(name)
			if t.Failed() {
				t.Logf("%s said:\n%s", name, r.logs[name])
			}
		}
	})
	return r
}

func (r *routed) start(n *testkit.PodNode, args ...string) *exec.Cmd {
	r.Helper()
	if r.states[n.Name] == "" {
		r.states[n.Name] = r.TempDir()
	}
	self, err := os.Executable()
	if err != nil {
		r.Fatal(err)
	}
	if r.logs[n.Name] == nil {
		r.logs[n.Name] = &buffer{}
	}
	cmd := exec.Command(self, append([]string{"--state-dir", r.states[n.Name]}, args...)...)
	cmd.Env, cmd.Stderr = append(os.Environ(), agentVariable+"=1"), r.logs[n.Name]
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := n.Do(cmd.Start); err != nil {
		r.Fatal(err)
	}
	return cmd
}

func (r *routed) agent(n *testkit.PodNode) {
	r.Helper()
	r.agents[n.Name] = r.start(n, append([]string{"--manifest-dir", r.dir, "--node", n.Name, "--sysctls=false"}, r.args...)...)
}

func (r *routed) kill(name string) {
	if cmd := r.agents[name]; cmd != nil {
		_ = cmd.Process.Kill() // it may have ended already
		_ = cmd.Wait()
		delete(r.agents, name)
	}
}

// write says which nodes there are.
func (r *routed) write(nodes ...*testkit.PodNode) {
	r.Helper()
	var b strings.Builder
	for _, n := range nodes {
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: Node\nmetadata: {name: %s}\nspec: {podCIDRs: [%v, '%v']}\nstatus: {addresses: [{type: InternalIP, address: %v}, {type: InternalIP, address: '%v'}]}\n",
			n.Name, n.CIDRs()[0], n.CIDRs()[1], n.Addresses()[0], n.Addresses()[1])
		for i, p := range n.Pods {
			fmt.Fprintf(&b, "---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s-%d, namespace: shop, labels: {app: app%d-%d}}\nspec: {nodeName: %s, containers: [{name: a}]}\nstatus: {phase: Running, podIP: %v, podIPs: [{ip: %v}, {ip: '%v'}]}\n",
				n.Name, i, n.Number, i, n.Name, p.Addresses[0], p.Addresses[0], p.Addresses[1])
		}
	}
	b.WriteString("---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n")
	b.WriteString(strings.ReplaceAll(service("web", "10.96.0.10", "", "10.244.2.2"), "8080", "80"))
	temporary := filepath.Join(r.dir, ".tmp")
	if err := os.WriteFile(temporary, []byte(b.String()), 0o600); err != nil {
		r.Fatal(err)
	}
	if err := os.Rename(temporary, filepath.Join(r.dir, "all.yaml")); err != nil {
		r.Fatal(err)
	}
}

// comes waits until every pod reaches every other one.
func (r *routed) comes(what string) {
	r.Helper()
	var err error
	for range 20 {
		if err = r.Reach(); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	r.Fatalf("%s: %v", what, err)
}

// TestPodRoutes has agents that route between nodes, with nodes that come and go, kills, and
// another program that removes what planec made.
func TestPodRoutes(t *testing.T) {
	r := newRouted(t, "auto")
	a, b := r.Near(1), r.Near(2)
	r.write(a, b)
	r.agent(a)
	r.agent(b)
	r.comes("two nodes")
	c := r.Far(3)
	r.agent(c)
	r.write(a, b, c)
	r.comes("a third, behind a router")
	if out, err := a.Run("ip", "route", "show", "proto", "112"); err != nil || !strings.Contains(out, "10.244.2.0/24 via 192.0.2.2 dev eth0") || !strings.Contains(out, "10.244.3.0/24 via 10.244.3.0 dev planec-vx4") {
		t.Errorf("routes: %s %v", out, err)
	}

	// A Service's endpoint on another node sees the pod, not the node.
	for _, p := range []*testkit.Pod{a.Pods[0], c.Pods[1]} {
		if saw, err := p.Ask("tcp", netip.MustParseAddr("10.96.0.10")); err != nil || saw != p.Addresses[0] {
			t.Errorf("through a Service: came from %v: %v", saw, err)
		}
	}

	// Packets go on without agents.
	for _, n := range r.Nodes {
		r.kill(n.Name)
	}
	if err := r.Reach(); err != nil {
		t.Errorf("after kill -9: %v", err)
	}
	index, _ := a.Run("cat", "/sys/class/net/planec-vx4/ifindex")
	for _, n := range r.Nodes {
		r.agent(n)
	}
	for _, c := range []string{"ip route del 10.244.2.0/24", "ip route del 10.244.3.0/24", "ip -6 route del fd00:3::/64"} {
		if _, err := a.Run("ip", strings.Fields(c)[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	r.comes("put back")
	if now, _ := a.Run("cat", "/sys/class/net/planec-vx4/ifindex"); now != index {
		t.Errorf("the start after a kill made the device anew: %s, %s", index, now)
	}

	// A node goes, and comes again.
	r.write(a, b)
	for i := 0; ; i++ {
		out, err := a.Run("ip", "route", "show", "10.244.3.0/24")
		if err == nil && out == "" {
			break
		}
		if i == 100 {
			t.Fatalf("the route to a node that is gone stays: %s %v", out, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	r.write(a, b, c)
	r.comes("a node that comes again")
	r.policies(a, b, c)
	r.cleaned()
}

// policies checks that a policy of a pod holds for packets that come through a device.
func (r *routed) policies(nodes ...*testkit.PodNode) {
	r.Helper()
	policy := `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: only, namespace: shop}
spec:
  podSelector: {matchLabels: {app: app3-0}}
  ingress: [{from: [{podSelector: {matchLabels: {app: app1-0}}}]}]
`
	if err := os.WriteFile(filepath.Join(r.dir, "policy.yaml"), []byte(policy), 0o600); err != nil {
		r.Fatal(err)
	}
	allowed, denied, to := nodes[0].Pods[0], nodes[0].Pods[1], nodes[2].Pods[0]
	for i := 0; ; i++ {
		if _, err := denied.Ask("udp", to.Addresses[0]); err != nil {
			break
		}
		if i == 100 {
			r.Fatal("the policy does not hold")
		}
		time.Sleep(50 * time.Millisecond)
	}
	for i, a := range to.Addresses {
		if saw, err := allowed.Ask("tcp", a); err != nil || saw != allowed.Addresses[i] {
			r.Errorf("allowed: %v %v", saw, err)
		}
		if saw, err := denied.Ask("tcp", a); err == nil {
			r.Errorf("denied, but came from %v", saw)
		}
	}
}

// cleaned removes everything with --cleanup.
func (r *routed) cleaned() {
	r.Helper()
	for _, n := range r.Nodes {
		r.kill(n.Name)
		if err := r.start(n, "--cleanup").Wait(); err != nil {
			r.Errorf("%s: --cleanup: %v", n.Name, err)
		}
		for _, f := range []string{"-4", "-6"} {
			if out, err := n.Run("ip", f, "route", "show", "proto", "112"); err != nil || out != "" {
				r.Errorf("%s: after --cleanup: %s %v", n.Name, out, err)
			}
		}
		if out, err := n.Run("ip", "link", "show", "planec-vx4"); err == nil {
			r.Errorf("%s: after --cleanup: %s", n.Name, out)
		}
	}
}
