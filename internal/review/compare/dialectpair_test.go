package compare

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/objects/ciliumv2"
)

// values are those of the label a that policies name.
func (g *policyPair) values() []string {
	if slices.Contains(g.a, "y") {
		return []string{"x", "y"}
	}
	return []string{"x"}
}

// calicoPolicy adds a policy of Calico.
func calicoPolicy(g *policyPair, set *objects.Set, name string) {
	spec := calicov3.PolicySpec{Types: pick(g, []string{"Ingress"}, []string{"Egress"}, []string{"Ingress", "Egress"}), Selector: g.calicoSelector()}
	if g.IntN(2) == 0 {
		order := float64(g.IntN(3000))
		spec.Order = &order
	}
	global := g.IntN(2) == 0
	for range g.IntN(3) {
		spec.Ingress = append(spec.Ingress, g.calicoRule(global, true))
	}
	for range g.IntN(3) {
		spec.Egress = append(spec.Egress, g.calicoRule(global, false))
	}
	if !global {
		p := &calicov3.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: pick(g, "n0", "n1", "n2"), Name: name}, Spec: spec}
		set.CalicoNetworkPolicies = append(set.CalicoNetworkPolicies, object(p))
		return
	}
	p := &calicov3.GlobalNetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: calicov3.GlobalPolicySpec{PolicySpec: spec}}
	if g.IntN(2) == 0 {
		p.Spec.NamespaceSelector = g.calicoNamespaces()
	}
	set.CalicoGlobalNetworkPolicies = append(set.CalicoGlobalNetworkPolicies, object(p))
}

func (g *policyPair) calicoSelector() string {
	one := func() string {
		v := pick(g, g.values()...)
		if len(g.b) > 1 && g.IntN(4) == 0 {
			return pick(g, "b == 'x'", "b != 'x'")
		}
		return pick(g, "a == '"+v+"'", "a != '"+v+"'", "has(a)", "!has(a)", "all()", fmt.Sprintf("a in {'%s'}", v), "a not in {'x'}")
	}
	switch g.IntN(6) {
	case 0:
		return one() + " || " + one()
	case 1:
		return "!(" + one() + " && " + one() + ")"
	case 2:
		return one() + " && (" + one() + " || " + one() + ")"
	}
	return one()
}

func (g *policyPair) calicoNamespaces() string {
	return pick(g, "all()", "team == 'x'", "team != 'x'", "!has(team)", "projectcalico.org/name == 'n1'", "projectcalico.org/name in {'n0', 'n7'}", "projectcalico.org/name != 'n2'")
}

func (g *policyPair) calicoRule(global, ingress bool) calicov3.Rule {
	r := calicov3.Rule{Action: pick(g, "Allow", "Allow", "Deny", "Pass")}
	other, own := &r.Source, &r.Destination
	if !ingress {
		other, own = own, other
	}
	switch g.IntN(5) {
	case 0:
		cidr, except := g.network()
		if other.Nets = []string{cidr}; len(except) > 0 && g.IntN(2) == 0 {
			other.NotNets = except
		}
	case 1:
		other.NotSelector = g.calicoSelector()
	case 2:
		other.Selector = g.calicoSelector()
	case 3:
		other.Selector, other.NamespaceSelector = g.calicoSelector(), g.calicoNamespaces()
	}
	if g.IntN(4) == 0 {
		own.Selector = g.calicoSelector()
	}
	if g.IntN(2) == 0 {
		g.calicoPorts(&r)
	}
	return r
}

func (g *policyPair) calicoPorts(r *calicov3.Rule) {
	tcp, udp := intstr.FromString("TCP"), intstr.FromString("UDP")
	r.Protocol = &tcp
	switch g.IntN(4) {
	case 0:
		r.Protocol = &udp
	case 1:
		r.Destination.Ports = []intstr.IntOrString{intstr.FromString("80:90")}
	case 2:
		r.Destination.NotPorts = []intstr.IntOrString{intstr.FromInt32(pick(g, int32(80), int32(443)))}
	case 3:
		r.Destination.Ports = []intstr.IntOrString{intstr.FromInt32(443)}
		if len(g.named) > 1 {
			r.Destination.Ports[0] = intstr.FromString("http")
		}
	}
}

// ciliumPolicy adds a policy of Cilium.
func ciliumPolicy(g *policyPair, set *objects.Set, name string) {
	subject := g.ciliumSelector(false)
	rule := &ciliumv2.Rule{EndpointSelector: &subject}
	for range 1 + g.IntN(2) {
		g.ciliumRule(rule)
	}
	if g.IntN(2) == 0 {
		p := &ciliumv2.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: pick(g, "n0", "n1", "n2"), Name: name}, Spec: rule}
		set.CiliumNetworkPolicies = append(set.CiliumNetworkPolicies, object(p))
		return
	}
	p := &ciliumv2.ClusterwideNetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: rule}
	set.CiliumClusterwideNetworkPolicies = append(set.CiliumClusterwideNetworkPolicies, object(p))
}

func (g *policyPair) ciliumSelector(wide bool) ciliumv2.Selector {
	out := ciliumv2.Selector{MatchLabels: map[string]string{}}
	require := func(key, op string, values ...string) {
		out.MatchExpressions = append(out.MatchExpressions, ciliumv2.Requirement{Key: key, Operator: op, Values: values})
	}
	switch g.IntN(6) {
	case 0:
		require("k8s:a", pick(g, "In", "NotIn"), g.values()...)
	case 1:
		require("any:a", pick(g, "Exists", "DoesNotExist"))
	case 2:
		require("a", "NotIn", pick(g, g.values()...))
	case 3, 4:
		out.MatchLabels["a"] = pick(g, g.values()...)
	}
	if len(g.b) > 1 && g.IntN(4) == 0 {
		require("b", pick(g, "In", "NotIn"), "x")
	}
	if !wide || g.IntN(2) == 0 {
		return out
	}
	switch g.IntN(4) {
	case 0:
		out.MatchLabels["k8s:io.kubernetes.pod.namespace"] = pick(g, "n0", "n1", "n7")
	case 1:
		require("io.kubernetes.pod.namespace", "NotIn", pick(g, "n1", "n7"))
	case 2:
		require("io.cilium.k8s.namespace.labels.team", pick(g, "Exists", "DoesNotExist"))
	case 3:
		out.MatchLabels["k8s:io.cilium.k8s.namespace.labels.team"] = "x"
	}
	return out
}

// ciliumRule adds a rule of any of the four kinds.
func (g *policyPair) ciliumRule(to *ciliumv2.Rule) {
	var endpoints []ciliumv2.Selector
	var cidrs []ciliumv2.CIDRRule
	var entities []string
	switch g.IntN(5) {
	case 0:
		entities = []string{pick(g, "all", "world", "cluster", "remote-node", "host")}
	case 1:
		cidr, except := g.network()
		cidrs = []ciliumv2.CIDRRule{{CIDR: cidr, Except: except}}
	default:
		endpoints = []ciliumv2.Selector{g.ciliumSelector(true)}
	}
	ports := g.ciliumPorts()
	in := ciliumv2.IngressCommon{FromEndpoints: endpoints, FromCIDRSet: cidrs, FromEntities: entities}
	out := ciliumv2.EgressCommon{ToEndpoints: endpoints, ToCIDRSet: cidrs, ToEntities: entities}
	var denied []ciliumv2.PortDenyRule
	for _, p := range ports {
		denied = append(denied, ciliumv2.PortDenyRule{Ports: p.Ports})
	}
	switch g.IntN(6) {
	case 0:
		to.IngressDeny = append(to.IngressDeny, ciliumv2.IngressDenyRule{IngressCommon: in, ToPorts: denied})
	case 1:
		to.EgressDeny = append(to.EgressDeny, ciliumv2.EgressDenyRule{EgressCommon: out, ToPorts: denied})
	case 2, 3:
		to.Ingress = append(to.Ingress, ciliumv2.IngressRule{IngressCommon: in, ToPorts: ports})
	default:
		to.Egress = append(to.Egress, ciliumv2.EgressRule{EgressCommon: out, ToPorts: ports})
	}
}

func (g *policyPair) ciliumPorts() []ciliumv2.PortRule {
	p := ciliumv2.Port{Protocol: "TCP"} // only of TCP there are pods whose port http has these numbers
	switch g.IntN(6) {
	case 0:
		p.Port, p.EndPort = "80", 90
	case 1:
		p.Port = pick(g, "80", "443")
	case 2:
		if p.Port = "443"; len(g.named) > 1 {
			p.Port, p.Protocol = "http", pick(g, "TCP", "UDP", "")
		}
	default:
		return nil
	}
	return []ciliumv2.PortRule{{Ports: []ciliumv2.Port{p}}}
}
