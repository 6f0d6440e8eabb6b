package e2e_test

import (
	"strings"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/e2e/internal/programs"
)

// TestPoliciesOfACluster asks the command line about a real API server, with an account that
// may read everything and with one that may read Services only.
func TestPoliciesOfACluster(t *testing.T) {
	s := newStand(t)
	ctx := within(t, time.Minute)
	s.pod(t, "client", client)
	s.pod(t, "server", pods[0])
	s.serve(t, "first", "10.96.0.10")
	_, err := s.Client().NetworkingV1().NetworkPolicies(metav1.NamespaceDefault).Create(ctx, &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "deny"}, Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": "server"}},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
		},
	}, metav1.CreateOptions{})
	must(t, err)
	admin, err := s.Kubeconfig()
	must(t, err)
	planec := programs.Own(t, "planec")
	run := func(args ...string) (string, error) {
		return s.rig.Run("", planec, append(args, "--cluster-cidr", podCIDRs)...)
	}
	out, err := run("matrix", "--kubeconfig", admin, "--port", "80")
	if err != nil || !strings.Contains(out, "1 of 2 pairs allowed") {
		t.Errorf("%v: %s", err, out)
	}
	out, err = run("trace", "--kubeconfig", admin, "--from", "default/client", "--to", "svc/default/first", "--port", "80", "-o", "json")
	if err != nil || !strings.Contains(out, pods[0].String()) {
		t.Errorf("%v: %s", err, out)
	}
	must(t, s.Apply(ctx, []byte(account)))
	reader, err := s.ServiceAccountKubeconfig(ctx, "kube-system", "reader")
	must(t, err)
	if out, err := run("compile", "--kubeconfig", reader, "--node", nodeName, "--backend", "nftables"); err == nil || out != "" || !strings.Contains(err.Error(), "pods: pods is forbidden") {
		t.Errorf("%v: %s", err, out)
	}
}
