package e2e_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/process"
	"github.com/planec/planec/e2e/internal/programs"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

const learnedPolicy = `apiVersion: v1
kind: Node
metadata: {name: node-a}
status: {addresses: [{type: InternalIP, address: 192.0.2.10}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: shop, labels: {app: client}}
spec: {nodeName: node-a, containers: [{name: a}]}
status: {phase: Running, podIP: 10.1.0.9, podIPs: [{ip: 10.1.0.9}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: names, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: client}}
  egress: [{toFQDNs: [{matchName: api.example.com}]}]
`

// TestFQDN has the real CoreDNS say by its dnstap plugin what it answers: an address is open
// once a client was told it, and the other name of the same answers stays closed.
func TestFQDN(t *testing.T) {
	testkit.Require(t, "nft")
	rig := testkit.New(t, testkit.Spec{NodeAddrs: []netip.Addr{nodeAddr}, Pods: []netip.Addr{client}, Ports: []testkit.Port{{Protocol: ir.TCP, Number: targetPort}}})
	node, dir := process.In(t, rig.NodeNamespace()), t.TempDir()
	socket, corefile := filepath.Join(dir, "dns", "tap.sock"), filepath.Join(dir, "Corefile")
	must(t, os.Mkdir(filepath.Join(dir, "manifests"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "manifests", "all.yaml"), []byte(learnedPolicy), 0o600))
	must(t, os.WriteFile(corefile, []byte(fmt.Sprintf(`.:5353 {
	bind 127.0.0.1
	errors
	ready %s
	dnstap %s full
	hosts {
		203.0.113.5 api.example.com
		203.0.113.6 other.example.com
	}
}
`, readyAddress, socket)), 0o600))
	a := process.New(t, node, "planec-agent", nil, programs.Own(t, "planec-agent"), "--manifest-dir", filepath.Join(dir, "manifests"), "--node", nodeName, "--state-dir", filepath.Join(dir, "state"),
		"--policies", "--cluster-cidr", "10.1.0.0/16", "--sysctls=false", "--fqdn-listen", socket)
	must(t, a.Start())
	try := func(address string) string {
		t.Helper()
		out, err := rig.Try(t.Context(), []testkit.Flow{{From: eval.FromPod, Src: client, Dst: netip.MustParseAddr(address), Port: targetPort, Protocol: ir.TCP}}, testkit.DefaultTimeout)
		must(t, err)
		return out[0].Fate.String()
	}
	open := func(address string) bool { return try(address) == testkit.Answered.String() }
	must(t, a.Until(within(t, time.Minute), func() error {
		if _, err := os.Stat(socket); err != nil {
			return err
		}
		if open("203.0.113.5") {
			return fmt.Errorf("the policy does not hold yet")
		}
		return nil
	}))
	c := process.New(t, node, "coredns", nil, programs.CoreDNS(t), "-conf", corefile)
	must(t, c.Start())
	ask := &asker{ctx: within(t, time.Minute), in: node}
	must(t, c.Until(ask.ctx, func() error {
		got, err := ask.question(question{name: "api.example.com.", kind: "A"})
		if err == nil && !slices.Contains(got, "3600 203.0.113.5") {
			err = fmt.Errorf("CoreDNS answers %q", got)
		}
		if err != nil {
			ask.to = nil
		}
		return err
	}))
	if _, err := ask.question(question{name: "other.example.com.", kind: "A"}); err != nil {
		t.Fatal(err)
	}
	must(t, a.Until(within(t, 30*time.Second), func() error {
		if !open("203.0.113.5") {
			return fmt.Errorf("203.0.113.5: %s", try("203.0.113.5"))
		}
		return nil
	}))
	if open("203.0.113.6") {
		t.Error("the address of another name is open")
	}
}
