package e2e_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestPolicies closes connections by a NetworkPolicy made through the API, and
// opens them by deleting it; with --fail-closed an address of the node's pod
// range is closed until its Pod is known.
func TestPolicies(t *testing.T) {
	for _, backend := range []string{"nftables", "ebpf"} {
		t.Run(backend, func(t *testing.T) { policies(t, backend) })
	}
	t.Run("ebpf, direct", func(t *testing.T) { policies(t, "ebpf", "--direct-pods") })
}

func policies(t *testing.T, backend string, flags ...string) {
	s := newProgrammedStand(t, tools...)
	ctx := t.Context()
	// fail-closed goes by the node's pod range, of /20 at most.
	node, err := s.Client().CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
	must(t, err)
	node.Spec.PodCIDR, node.Spec.PodCIDRs = "10.1.0.0/24", []string{"10.1.0.0/24"}
	_, err = s.Client().CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{})
	must(t, err)
	s.pod(t, "client", client)
	s.pod(t, "server", pods[0])
	a := agent.New(t, s.node, s.agentOptions(t, backend, append(flags, "--policies", "--fail-closed")...))
	start(t, a)
	to := func(addr netip.Addr) testkit.Flow {
		return testkit.Flow{From: eval.FromPod, Src: client, Dst: addr, Port: targetPort, Protocol: ir.TCP}
	}
	known, unknown := to(pods[0]), to(pods[1])

	s.fate(t, "a pod that is known", known, testkit.Answered)
	s.fate(t, "a pod that is not known yet", unknown, testkit.TimedOut)
	s.pod(t, "late", pods[1])
	s.fate(t, "the pod is known now", unknown, testkit.Answered)

	policies := s.Client().NetworkingV1().NetworkPolicies(metav1.NamespaceDefault)
	deny := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "deny"}, Spec: networkingv1.NetworkPolicySpec{
		PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": "server"}},
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
	}}
	_, err = policies.Create(ctx, deny, metav1.CreateOptions{})
	must(t, err)
	s.fate(t, "denied", known, testkit.TimedOut)
	s.fate(t, "not selected", unknown, testkit.Answered)
	must(t, policies.Delete(ctx, "deny", metav1.DeleteOptions{}))
	s.fate(t, "the policy is gone", known, testkit.Answered)

	must(t, s.Client().CoreV1().Pods(metav1.NamespaceDefault).Delete(ctx, "late", metav1.DeleteOptions{GracePeriodSeconds: new(int64)}))
	s.fate(t, "the pod is gone", unknown, testkit.TimedOut)
	if n := values(t, a).Sum(agent.Failures); n > 0 {
		t.Errorf("%v failed applies", n)
	}
}

// pod makes a Pod that runs on the node, as scheduler and kubelet would leave it.
func (s *stand) pod(t *testing.T, name string, addr netip.Addr) {
	t.Helper()
	api := s.Client().CoreV1().Pods(metav1.NamespaceDefault)
	made, err := api.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": name}},
		Spec:       corev1.PodSpec{NodeName: nodeName, Containers: []corev1.Container{{Name: "c", Image: "none"}}},
	}, metav1.CreateOptions{})
	must(t, err)
	made.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: addr.String(), PodIPs: []corev1.PodIP{{IP: addr.String()}}}
	_, err = api.UpdateStatus(t.Context(), made, metav1.UpdateOptions{})
	must(t, err)
}

// fate waits until a flow ends as it should.
func (s *stand) fate(t *testing.T, what string, f testkit.Flow, want testkit.Fate) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		outcomes, err := idle{s.rig}.Try(t.Context(), []testkit.Flow{f})
		must(t, err)
		if outcomes[0].Fate == want {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s: %v: %v, want %v", what, f, outcomes[0], want)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
