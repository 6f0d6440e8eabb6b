package cmd_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// here is the answer to a program on the node from an address: the endpoint, or an error.
func (n *node) here(addr string) (said string) {
	n.t.Helper()
	_ = n.rig.Do(func() error {
		conn, err := dialHere(addr)
		if err != nil {
			said = err.Error()
			return nil
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second)) // a socket of TCP takes one
		text, err := io.ReadAll(conn)
		if said = string(text); err != nil {
			said += err.Error()
		}
		return nil
	})
	return said
}

// nodePort is a Service with a nodePort, a pod of this node and one of another.
func nodePort(name, ip, more string, endpoints ...string) string {
	return strings.Replace(service(name, ip, "  type: NodePort\n"+more, endpoints...), "targetPort: 8080", "targetPort: 8080, nodePort: 30080", 1)
}

// TestLoopbackNodePort wants the agent to serve TCP nodePorts on a loopback
// address whose range is configured explicitly: from the node's own address, to
// local endpoints under a Local policy, and until the Service is removed.
func TestLoopbackNodePort(t *testing.T) {
	const at = "127.0.0.1:30080"
	n := newNode(t, "--nodeport-addresses", "primary,localhost", "--metrics-bind-address", "127.0.0.1:10249")
	n.write("node.yaml", nodeYAML)
	n.write("web.yaml", nodePort("web", vip, "", "10.1.0.9", "10.2.0.9"))
	n.start()
	n.wait("both endpoints answer on loopback", func() bool {
		answers := n.here(at) + n.here(at) + n.here(at) + n.here(at)
		return strings.Contains(answers, "10.1.0.9:8080") && strings.Contains(answers, "10.2.0.9:8080")
	})
	listeners := func(count int) bool {
		_, metrics, _ := n.get("http://127.0.0.1:10249/metrics")
		return strings.Contains(metrics, fmt.Sprintf("kubeproxy_nftables_localhost_nodeport_listeners{ip_family=\"IPv4\"} %d\n", count)) &&
			strings.Contains(metrics, "kubeproxy_nftables_localhost_nodeport_listener_creation_failures_total{ip_family=\"IPv4\"} 0\n")
	}
	if !listeners(1) {
		t.Error("the metrics do not count the listener")
	}
	if got := n.here("192.0.2.11:30080"); !strings.Contains(got, ".0.9:8080") {
		t.Errorf("the node's own address: %s", got)
	}
	n.write("web.yaml", nodePort("web", vip, "  externalTrafficPolicy: Local\n", "10.1.0.9", "10.2.0.9"))
	n.wait("only the local endpoint answers", func() bool {
		for range 12 {
			if !strings.Contains(n.here(at), "10.1.0.9:8080") {
				return false
			}
		}
		return true
	})
	n.write("web.yaml", service("web", vip, "", "10.1.0.9"))
	n.wait("the listener is closed", func() bool { return strings.Contains(n.here(at), "refused") && listeners(0) })
}

// TestLoopbackByOthers wants no listener if a wider range contains loopback
// addresses, or if none is configured.
func TestLoopbackByOthers(t *testing.T) {
	n := newNode(t, "--nodeport-addresses", "all", "--metrics-bind-address", "127.0.0.1:10249")
	n.write("node.yaml", nodeYAML)
	n.write("web.yaml", nodePort("web", vip, "", "10.1.0.9"))
	n.start()
	n.wait("the nodePort is served", func() bool { return strings.Contains(n.here("192.0.2.11:30080"), "10.1.0.9:8080") })
	if got := n.here("127.0.0.1:30080"); !strings.Contains(got, "refused") {
		t.Errorf("got %q", got)
	}
}
