package validate_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"

	"github.com/planec/planec/compiler/policy/validate"
)

// FuzzNetworkPolicy asks besides that what passes can be compiled: its CIDRs are
// prefixes, and its ports are in order.
func FuzzNetworkPolicy(f *testing.F) {
	seed(f,
		`"podSelector":{"matchLabels":{"a":"b c"},"matchExpressions":[{"key":"a","operator":"In","values":["b"]}]},"policyTypes":["Ingress","x"]`,
		`"ingress":[{"from":[null,{"ipBlock":{"cidr":"10.0.0.0/8","except":["10.1.0.0/16","::/0"]}},{"podSelector":{}}],"ports":[{"port":"http"},{"port":80,"endPort":90,"protocol":"SCTP"}]},{}]`,
		`"egress":[{"to":[{"ipBlock":{"cidr":"::ffff:1.2.3.4/100"},"namespaceSelector":{}}],"ports":[{"endPort":1},{"port":"a--b","endPort":1}]}]`)
	f.Fuzz(func(t *testing.T, text string) {
		p, errs := refuse(t, text, validate.NetworkPolicy)
		if p == nil || len(errs) > 0 {
			return
		}
		for _, r := range p.Spec.Ingress {
			checkPassed(t, r.From, r.Ports)
		}
		for _, r := range p.Spec.Egress {
			checkPassed(t, r.To, r.Ports)
		}
	})
}

func checkPassed(t *testing.T, peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort) {
	t.Helper()
	for _, p := range peers {
		if p.IPBlock == nil {
			continue
		}
		block, ok := validate.ParseCIDR(p.IPBlock.CIDR)
		if !ok {
			t.Errorf("%q passed", p.IPBlock.CIDR)
		}
		for _, s := range p.IPBlock.Except {
			// An IPv4-mapped range inside an IPv6 one is of another family.
			if except, ok := validate.ParseCIDR(s); !ok || block.Addr().Is4() == except.Addr().Is4() && (!block.Overlaps(except) || block.Bits() >= except.Bits()) {
				t.Errorf("%q is no strict subset of %q", s, p.IPBlock.CIDR)
			}
		}
	}
	for _, p := range ports {
		if p.EndPort != nil && (p.Port == nil || p.Port.IntVal < 1 || *p.EndPort < p.Port.IntVal || *p.EndPort > 65535) {
			t.Errorf("port %v to %v passed", p.Port, *p.EndPort)
		}
	}
}

// FuzzClusterNetworkPolicy asks besides that networks which pass are prefixes.
func FuzzClusterNetworkPolicy(f *testing.F) {
	seed(f,
		`"tier":"Admin","priority":1,"subject":{"namespaces":{}},"ingress":[{"action":"Deny","from":[{"pods":{"podSelector":{}}},null],"protocols":[{"destinationNamedPort":"a"},{"tcp":{"destinationPort":{"number":1}}}]}]`,
		`"tier":"Baseline","priority":-1,"subject":{"pods":{}},"egress":[{"action":"Accept","to":[{"networks":["10.0.0.0/8","x"]},{"nodes":{}},{"domainNames":["*.a.b","*"]}],"protocols":[{"udp":{"destinationPort":{"range":{"start":2,"end":1}}}},{"sctp":{}}]}]`)
	f.Fuzz(func(t *testing.T, text string) {
		p, errs := refuse(t, text, validate.ClusterNetworkPolicy)
		if p == nil || len(errs) > 0 {
			return
		}
		for _, r := range p.Spec.Egress {
			for _, to := range r.To {
				for _, n := range to.Networks {
					if _, ok := validate.ParseCIDR(string(n)); !ok {
						t.Errorf("%q passed", n)
					}
				}
			}
		}
	})
}

var adminSeeds = []string{
	`"priority":1,"subject":{"namespaces":{}},"ingress":[{"action":"Deny","from":[{"pods":{"podSelector":{},"namespaceSelector":{}}},null],"ports":[{"portNumber":{"port":1,"protocol":"TCP"}},null]}]`,
	`"subject":{"pods":{}},"egress":[{"action":"Allow","to":[{"networks":["10.0.0.0/8","x"]},{"nodes":{}}],"ports":[{"namedPort":""},{"portRange":{"start":2,"end":1,"protocol":"UDP"}}]},{"ports":[]}]`,
}

func FuzzAdminNetworkPolicy(f *testing.F) {
	seed(f, adminSeeds...)
	f.Fuzz(func(t *testing.T, text string) { refuse(t, text, validate.AdminNetworkPolicy) })
}

func FuzzBaselineAdminNetworkPolicy(f *testing.F) {
	seed(f, adminSeeds...)
	f.Fuzz(func(t *testing.T, text string) { refuse(t, text, validate.BaselineAdminNetworkPolicy) })
}

func seed(f *testing.F, specs ...string) {
	f.Add(`{}`)
	for _, s := range specs {
		f.Add(`{"metadata":{"name":"default","namespace":"x"},"spec":{` + s + `}}`)
	}
}

// refuse asks of any policy that the answer is always the same, bounded, and in
// the form of the API server: a path, then the reason.
func refuse[T networkingv1.NetworkPolicy | policyv1alpha1.AdminNetworkPolicy | policyv1alpha1.BaselineAdminNetworkPolicy | policyv1beta1.ClusterNetworkPolicy](
	t *testing.T, text string, validate func(*T) field.ErrorList,
) (*T, field.ErrorList) {
	t.Helper()
	p := new(T)
	if json.Unmarshal([]byte(text), p) != nil {
		return nil, nil
	}
	errs := validate(p)
	got := texts(errs)
	if !slices.Equal(got, texts(validate(p))) {
		t.Errorf("another answer the second time than %q", got)
	}
	if len(errs) > 100 {
		t.Errorf("%d errors", len(errs))
	}
	for _, e := range got {
		if !strings.HasPrefix(e, "spec") && !strings.HasPrefix(e, "metadata") || !strings.Contains(e, ": ") {
			t.Errorf("%q has no path", e)
		}
	}
	return p, errs
}
