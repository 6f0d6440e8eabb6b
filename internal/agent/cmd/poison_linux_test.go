package cmd_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/testing/poison"
	"github.com/planec/planec/internal/testing/testkit"
)

// poisonVariable makes the agent's dataplanes refuse rules with a marker: its
// value is the stage, a vertical line, and the marker.
const poisonVariable = "PLANEC_TEST_POISON"

// poisoned are the dataplanes of the agent.
//
// It refuses to attach anything to the root of the machine's cgroups.
func poisoned(setting, cgroup string) map[string]applier.Dataplane {
	if cgroup != "" {
		if err := testkit.NotRoot(cgroup); err != nil {
			panic(err)
		}
	}
	all := dataplane.AllAt(cgroup)
	stage, marker, set := strings.Cut(setting, "|")
	for name, d := range all {
		if set {
			all[name] = &poison.Plane{Dataplane: d, Poison: &poison.Poison{Stage: poison.Stage(stage), Marker: marker}}
		}
	}
	return all
}

// badPod is what the bad policies select, on the node of the agent.
const badPod = `apiVersion: v1
kind: Namespace
metadata: {name: evil}
---
apiVersion: v1
kind: Pod
metadata: {name: pod, namespace: evil}
spec: {nodeName: node-a, containers: [{name: c}]}
status: {phase: Running, podIP: 10.1.0.9, podIPs: [{ip: 10.1.0.9}]}
`

// badPolicy lets the pod connect to one port only; refused, it lets it connect to none.
const badPolicy = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: poison, namespace: evil}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 44444}]}]}
`

// TestAgentGivesUp adds a Service and a policy that the kernel refuses, at each stage of
// a change, for every backend that runs here: the agent names them and gives them up
// safely, serves and changes all others, and serves the object once it is corrected.
func TestAgentGivesUp(t *testing.T) {
	testkit.Require(t, "ipset", "iptables-restore")
	for _, backend := range []string{"nftables", "iptables", "ebpf"} {
		for _, stage := range []poison.Stage{poison.Refused, poison.Drifts, poison.NeverSame} {
			t.Run(fmt.Sprintf("%s, %s", backend, stage), func(t *testing.T) { agentGivesUp(t, backend, stage) })
		}
	}
}

// insync waits for the agent's first apply.
func (n *node) insync() {
	n.t.Helper()
	if s, code := n.status("--wait", "20s"); code != 0 {
		n.t.Fatalf("status: %+v", s)
	}
	n.givenUp("", "", 0)
}

func agentGivesUp(t *testing.T, backend string, stage poison.Stage) {
	t.Setenv(poisonVariable, string(stage)+"|10.1.2.66")
	n := newNode(t, "--backend", backend, "--policies")
	answers := func(what, dst, want string) {
		t.Helper()
		n.wait(what, func() bool { return n.answer(dst, 80) == want })
	}
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	n.insync()
	answers("the Service answers", vip, "10.1.2.1:8080")
	n.write("bad.yaml", service("bad", vip2, "", "10.1.2.66"))
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.2"))
	n.givenUp("PLC0503", "Service shop/bad", 1)
	answers("another Service changes", vip, "10.1.2.2:8080")
	answers("the bad Service refuses", vip2, testkit.Refused.String())
	n.write("bad.yaml", service("bad", vip2, "", "10.1.2.3"))
	n.givenUp("", "", 0)
	answers("the mended Service answers", vip2, "10.1.2.3:8080")

	n.kill(9)
	t.Setenv(poisonVariable, string(stage)+"|44444")
	n.write("evil.yaml", badPod)
	n.start()
	n.insync()
	answers("the pod may connect", vip, "10.1.2.2:8080")
	n.write("policy.yaml", badPolicy)
	n.givenUp("PLC0503", "NetworkPolicy evil/poison", 1)
	answers("the policy closes the pod", vip, testkit.TimedOut.String())
	n.write("policy.yaml", strings.ReplaceAll(badPolicy, "44444", "8080"))
	n.givenUp("", "", 0)
	answers("the mended policy lets it connect", vip, "10.1.2.2:8080")
}
