package cmd_test

import (
	"strings"
	"testing"
)

// TestConnectionsAreCounted wants the connections of each Service among the metrics, also
// of one that comes later.
func TestConnectionsAreCounted(t *testing.T) {
	n := newNode(t, "--backend", "ebpf", "--cluster-cidr", "10.1.0.0/16", "--count-connections")
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	if s, code := n.status("--wait", "20s"); code != 0 {
		t.Fatalf("status: %+v", s)
	}
	// counted is whether a metric has a number that is not 0.
	counted := func(labels string) bool {
		_, body, _ := n.get("http://127.0.0.1:10249/metrics")
		metric := "\nplanec_service_connections_total{" + labels + "} "
		return strings.Contains(body, metric) && !strings.Contains(body, metric+"0\n")
	}
	n.wait("connections are counted", func() bool {
		return n.answer(vip, 80) == "10.1.2.1:8080" && counted(`namespace="shop",outcome="endpoint",port="",protocol="tcp",service="cart"`)
	})
	n.write("other.yaml", service("other", vip2, ""))
	n.wait("refused connections are counted", func() bool {
		return n.answer(vip2, 80) == "refused" && counted(`namespace="shop",outcome="refused",port="",protocol="tcp",service="other"`)
	})
}
