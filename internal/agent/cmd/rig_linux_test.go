package cmd_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/internal/agent/cmd"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/cli"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// agentVariable makes the test binary the agent.
const agentVariable = "PLANEC_TEST_AGENT"

// planecVariable makes it the command line.
const planecVariable = "PLANEC_TEST_PLANEC"

func TestMain(m *testing.M) {
	if os.Getenv(agentVariable) != "" {
		os.Exit(cmd.MainOn(os.Args[1:], os.Stderr, func(cgroup string) map[string]applier.Dataplane {
			return poisoned(os.Getenv(poisonVariable), cgroup)
		}))
	}
	if os.Getenv(planecVariable) != "" {
		os.Exit(cli.Run(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}
	os.Exit(m.Run())
}

// node is a rig with an agent on it that follows a directory.
type node struct {
	t     *testing.T
	rig   *testkit.Rig
	dir   string
	state string
	args  []string
	// under is the command that starts the agent, with its arguments; usually empty.
	under []string
	// bpf is the mount point of ebpf's BPF file system, and cgroup where its programs are:
	// both are this test's own.
	bpf, cgroup string

	cmd *exec.Cmd
	log *buffer
}

// buffer collects the agent's output while it runs.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

const (
	vip  = "10.96.0.10"
	vip2 = "10.96.0.11"
)

func newNode(t *testing.T, args ...string) *node {
	t.Helper()
	testkit.Require(t, "nft")
	cgroup := ""
	if slices.Contains(args, "ebpf") {
		cgroup = testkit.Cgroup(t, live.CgroupRoot()) // before the rig, whose threads are in it until it is closed
	}
	r := testkit.New(t, testkit.Spec{
		NodeAddrs: []netip.Addr{netip.MustParseAddr("192.0.2.11")},
		Pods:      []netip.Addr{netip.MustParseAddr("10.1.0.9")},
		Ports:     []testkit.Port{{Protocol: ir.TCP, Number: 8080}, {Protocol: ir.TCP, Number: 8081}},
	})
	n := &node{t: t, rig: r, dir: t.TempDir(), state: t.TempDir(), args: args, cgroup: cgroup}
	if cgroup != "" {
		n.programs()
	}
	t.Cleanup(func() {
		n.kill(unix.SIGKILL)
		if t.Failed() && n.log != nil {
			t.Logf("the agent said:\n%s", n.log)
		}
	})
	return n
}

// eachBackend runs a test with the backends that need the same of a machine: nftables, and
// ebpf, whose packets follow the same rules.
func eachBackend(t *testing.T, f func(t *testing.T, n *node), args ...string) {
	for _, backend := range []string{"nftables", "ebpf"} {
		t.Run(backend, func(t *testing.T) { f(t, newNode(t, append([]string{"--backend", backend}, args...)...)) })
	}
}

// programs gives the node what ebpf needs: a BPF file system that outlives the agent, and
// a cgroup in which its pods open their sockets.
func (n *node) programs() {
	n.t.Helper()
	testkit.Require(n.t, "unshare", "mount", "umount")
	n.bpf = n.t.TempDir()
	if err := n.rig.JoinCgroup(n.cgroup); err != nil {
		n.t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "bpf", "bpf", n.bpf).CombinedOutput(); err != nil {
		n.t.Fatalf("mount: %v: %s", err, out)
	}
	n.t.Cleanup(func() { _ = exec.Command("umount", n.bpf).Run() }) // it is lost with the machine at last
	n.args = append(n.args, "--cgroup", n.cgroup)
	n.under = n.inside()
}

// inside runs a command where /sys/fs/bpf is the test's file system.
func (n *node) inside() []string {
	return []string{"unshare", "--mount", "--propagation", "private", "sh", "-c", `mount --bind "$0" /sys/fs/bpf && exec "$@"`, n.bpf}
}

func (n *node) start() {
	n.t.Helper()
	n.log = &buffer{}
	args := append([]string{"--manifest-dir", n.dir, "--node", "node-a", "--state-dir", n.state, "--log-level", "debug", "--sysctls=false"}, n.args...)
	self, err := os.Executable()
	if err != nil {
		n.t.Fatal(err)
	}
	args = append(append(slices.Clone(n.under), self), args...)
	n.cmd = exec.Command(args[0], args[1:]...)
	n.cmd.Env = append(os.Environ(), agentVariable+"=1")
	n.cmd.Stderr = n.log
	n.cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := n.rig.Do(n.cmd.Start); err != nil {
		n.t.Fatal(err)
	}
}

// kill ends the agent and returns its exit code.
func (n *node) kill(s unix.Signal) int {
	if n.cmd == nil {
		return 0
	}
	_ = n.cmd.Process.Signal(s) // it may have ended already
	_ = n.cmd.Wait()
	code := n.cmd.ProcessState.ExitCode()
	n.cmd = nil
	return code
}

// write replaces a file as editors do, by renaming.
func (n *node) write(name, text string) {
	n.t.Helper()
	temporary := filepath.Join(n.dir, "."+name+".tmp")
	if err := os.WriteFile(temporary, []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
	if err := os.Rename(temporary, filepath.Join(n.dir, name)); err != nil {
		n.t.Fatal(err)
	}
}

// answer is the endpoint that answers a connection from the pod, or the reason for no answer.
func (n *node) answer(dst string, port uint16) string {
	n.t.Helper()
	f := testkit.Flow{From: eval.FromPod, Src: netip.MustParseAddr("10.1.0.9"), Dst: netip.MustParseAddr(dst), Port: port, Protocol: ir.TCP}
	out, err := n.rig.Try(n.t.Context(), []testkit.Flow{f}, testkit.DefaultTimeout)
	if err != nil {
		n.t.Fatal(err)
	}
	if out[0].Fate == testkit.Answered {
		return out[0].Endpoint.String()
	}
	return out[0].Fate.String()
}

// wait waits until a condition holds.
func (n *node) wait(what string, so func() bool) {
	n.t.Helper()
	for range 400 {
		if so() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	n.t.Fatalf("it never came about: %s\n%s", what, n.log)
}

// get sends a request to one of the agent's servers, which listen on the node's loopback.
func (n *node) get(url string) (code int, body string, header http.Header) {
	n.t.Helper()
	err := n.rig.Do(func() error {
		request, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		// Connect from this thread: http.Get could use a thread in another
		// namespace.
		conn, err := dialHere(request.URL.Host)
		if err != nil {
			return err
		}
		defer conn.Close()
		request.Close = true
		if err := errors.Join(conn.SetDeadline(time.Now().Add(5*time.Second)), request.Write(conn)); err != nil {
			return err
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), request)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		code, body, header = res.StatusCode, string(text), res.Header
		return err
	})
	if err != nil {
		n.t.Fatalf("%s: %v\n%s", url, err, n.log)
	}
	return code, body, header
}

// service is a Service with a slice, as YAML.
func service(name, clusterIP string, more string, endpoints ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `apiVersion: v1
kind: Service
metadata: {name: %s, namespace: shop}
spec:
  clusterIP: %s
  ports: [{port: 80, protocol: TCP, targetPort: 8080}]
%s---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: %s-1
  namespace: shop
  labels: {kubernetes.io/service-name: %s}
addressType: IPv4
ports: [{port: 8080, protocol: TCP, name: ""}]
endpoints:
`, name, clusterIP, more, name, name)
	for _, e := range endpoints {
		fmt.Fprintf(&b, "- addresses: [%s]\n  nodeName: %s\n", e, map[bool]string{true: "node-a", false: "node-b"}[strings.HasPrefix(e, "10.1.0.")])
	}
	return b.String()
}

const nodeYAML = `apiVersion: v1
kind: Node
metadata: {name: node-a}
status: {addresses: [{type: InternalIP, address: 192.0.2.11}]}
`
