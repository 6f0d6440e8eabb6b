package cmd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/testkit"
)

// TestBeyondALimit adds a Service that exceeds the limits of iptables: it refuses packets,
// the agent reports it everywhere, and other Services keep working and changing.
func TestBeyondALimit(t *testing.T) {
	testkit.Require(t, "ipset", "iptables-restore")
	n := newNode(t, "--backend", "iptables")
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	n.wait("the Service answers", func() bool { return n.answer(vip, 80) == "10.1.2.1:8080" })
	n.write("wide.yaml", wide(90, 100))
	n.wait("the wide Service refuses", func() bool { return n.answer(vip2, 1000) == testkit.Refused.String() })
	n.givenUp("PLC0501", "Service shop/wide", 1)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.2"))
	n.wait("another Service changes", func() bool { return n.answer(vip, 80) == "10.1.2.2:8080" })
	n.write("wide.yaml", wide(2, 3))
	n.wait("the Service is served when it is smaller", func() bool { return strings.HasPrefix(n.answer(vip2, 1000), "10.1.2.") })
	n.givenUp("", "", 0)
}

// TestKernelRefuses adds a Service that the kernel's tools refuse: the same
// happens, and the Service is served when the tools accept it.
func TestKernelRefuses(t *testing.T) {
	testkit.Require(t, "ipset", "iptables-restore")
	tools := t.TempDir()
	bad := filepath.Join(tools, "bad")
	refuse(t, tools, bad)
	t.Setenv("PATH", tools+":"+os.Getenv("PATH"))
	n := newNode(t, "--backend", "iptables")
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	n.wait("the Service answers", func() bool { return n.answer(vip, 80) == "10.1.2.1:8080" })
	n.write("bad.yaml", service("bad", vip2, "", "10.1.2.66"))
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.2"))
	n.wait("another Service changes", func() bool { return n.answer(vip, 80) == "10.1.2.2:8080" })
	n.wait("the bad Service refuses", func() bool { return n.answer(vip2, 80) == testkit.Refused.String() })
	n.givenUp("PLC0503", "Service shop/bad", 1)
	if err := os.Remove(bad); err != nil {
		t.Fatal(err)
	}
	n.wait("it is tried again", func() bool { return n.answer(vip2, 80) == "10.1.2.66:8080" })
	n.givenUp("", "", 0)
}

// refuse replaces the programs that load rules by ones that refuse rules with the
// bad Service's endpoint, as long as a certain file exists.
func refuse(t *testing.T, dir, while string) {
	t.Helper()
	if err := os.WriteFile(while, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"iptables-restore", "iptables-legacy-restore", "iptables-nft-restore"} {
		real, err := exec.LookPath(tool)
		if err != nil {
			continue
		}
		script := fmt.Sprintf(`#!/bin/sh
in=$(mktemp)
trap 'rm -f "$in"' EXIT
cat >"$in"
if [ -e %q ] && grep -q 10.1.2.66 "$in"; then
	echo "iptables-restore: line 7 failed: Invalid argument." >&2
	exit 1
fi
%q "$@" <"$in"
`, while, real)
		if err := os.WriteFile(filepath.Join(dir, tool), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// givenUp wants the agent to name an object in its log, metrics and health, or none of them.
func (n *node) givenUp(code, object string, count int) {
	n.t.Helper()
	n.wait(fmt.Sprintf("%d objects are given up", count), func() bool {
		_, metrics, _ := n.get("http://127.0.0.1:10249/metrics")
		return strings.Contains(metrics, fmt.Sprintf("planec_objects_given_up %d\n", count))
	})
	status, body, _ := n.get("http://127.0.0.1:10256/healthz")
	if degraded := strings.Contains(body, fmt.Sprintf(`"degraded":%d`, count)); status != 200 || degraded != (count > 0) {
		n.t.Errorf("healthz is %d: %s", status, body)
	}
	if log := n.log.String(); count > 0 && (!strings.Contains(log, code) || !strings.Contains(log, object)) {
		n.t.Errorf("the log does not name %s %s", code, object)
	}
}

// wide is a Service with affinity, many ports and many endpoints.
func wide(ports, endpoints int) string {
	var service, slice, addresses strings.Builder
	for i := range ports {
		fmt.Fprintf(&service, "  - {name: p%d, port: %d, protocol: TCP, targetPort: 8080}\n", i, 1000+i)
		fmt.Fprintf(&slice, "- {name: p%d, port: 8080, protocol: TCP}\n", i)
	}
	for i := range endpoints {
		fmt.Fprintf(&addresses, "- {addresses: [10.1.2.%d], nodeName: node-b}\n", 1+i)
	}
	return fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: wide, namespace: shop}
spec:
  clusterIP: %s
  sessionAffinity: ClientIP
  ports:
%s---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: wide-1, namespace: shop, labels: {kubernetes.io/service-name: wide}}
addressType: IPv4
ports:
%sendpoints:
%s`, vip2, service.String(), slice.String(), addresses.String())
}
