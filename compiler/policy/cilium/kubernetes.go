package cilium

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects/ciliumv2"
)

// ofKubernetesSuffix ends the names of policies that stand for NetworkPolicies.
const ofKubernetesSuffix = ".networkpolicy"

// FromNetworkPolicy returns a policy of Cilium that says what Cilium makes of a
// NetworkPolicy that is valid (pkg/k8s/network_policy.go, ParseNetworkPolicy). Its name
// has the suffix ".networkpolicy".
func FromNetworkPolicy(p *networkingv1.NetworkPolicy) *ciliumv2.NetworkPolicy {
	subject := podLabelsOf(&p.Spec.PodSelector)
	rule := &ciliumv2.Rule{EndpointSelector: &subject}
	if slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeIngress) {
		for _, r := range p.Spec.Ingress {
			for _, peers := range peersOfKubernetes(r.From) {
				rule.Ingress = append(rule.Ingress, ciliumv2.IngressRule{
					IngressCommon: ciliumv2.IngressCommon{FromEndpoints: peers.endpoints, FromCIDRSet: peers.cidrs, FromEntities: peers.entities},
					ToPorts:       portsOfKubernetes(r.Ports),
				})
			}
		}
		if rule.Ingress == nil { // it isolates, and allows nothing
			rule.Ingress = []ciliumv2.IngressRule{{}}
		}
	}
	if slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) {
		for _, r := range p.Spec.Egress {
			for _, peers := range peersOfKubernetes(r.To) {
				rule.Egress = append(rule.Egress, ciliumv2.EgressRule{
					EgressCommon: ciliumv2.EgressCommon{ToEndpoints: peers.endpoints, ToCIDRSet: peers.cidrs, ToEntities: peers.entities},
					ToPorts:      portsOfKubernetes(r.Ports),
				})
			}
		}
		if rule.Egress == nil {
			rule.Egress = []ciliumv2.EgressRule{{}}
		}
	}
	return &ciliumv2.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name + ofKubernetesSuffix}, Spec: rule}
}

// kubernetesPeers are peers of one kind, as a rule of Cilium has them.
type kubernetesPeers struct {
	endpoints []ciliumv2.Selector
	cidrs     []ciliumv2.CIDRRule
	entities  []string
}

func peersOfKubernetes(from []networkingv1.NetworkPolicyPeer) []kubernetesPeers {
	if len(from) == 0 {
		return []kubernetesPeers{{entities: []string{everybody}}}
	}
	var pods, blocks kubernetesPeers
	for i := range from {
		switch p := &from[i]; {
		case p.IPBlock != nil:
			blocks.cidrs = append(blocks.cidrs, ciliumv2.CIDRRule{CIDR: masked(p.IPBlock.CIDR), Except: p.IPBlock.Except})
		default:
			pods.endpoints = append(pods.endpoints, podsOfKubernetes(p))
		}
	}
	var out []kubernetesPeers
	if pods.endpoints != nil {
		out = append(out, pods)
	}
	if blocks.cidrs != nil {
		out = append(out, blocks)
	}
	return out
}

// masked removes host bits, which clusters have stored.
func masked(cidr string) string {
	if p, err := netip.ParsePrefix(cidr); err == nil {
		return p.Masked().String()
	}
	return cidr
}

// podsOfKubernetes is a peer of pods. Without a namespaceSelector it is in the policy's
// namespace, which selectors of Cilium mean anyway; an empty one is every namespace.
func podsOfKubernetes(p *networkingv1.NetworkPolicyPeer) ciliumv2.Selector {
	pods := p.PodSelector
	if pods == nil {
		pods = &metav1.LabelSelector{}
	}
	out := podLabelsOf(pods)
	if p.NamespaceSelector == nil {
		return out
	}
	in := prefixed(p.NamespaceSelector, sourceK8s+":"+prefixNamespaceLabel)
	for k, v := range in.MatchLabels {
		out.MatchLabels[k] = v
	}
	if out.MatchExpressions = append(out.MatchExpressions, in.MatchExpressions...); len(in.MatchLabels)+len(in.MatchExpressions) == 0 {
		out.MatchExpressions = append(out.MatchExpressions, ciliumv2.Requirement{Key: sourceK8s + ":" + labelNamespace, Operator: opExists})
	}
	return out
}

func podLabelsOf(s *metav1.LabelSelector) ciliumv2.Selector { return prefixed(s, sourceK8s+":") }

// prefixed returns a selector of Kubernetes that asks for keys with a prefix.
func prefixed(s *metav1.LabelSelector, prefix string) ciliumv2.Selector {
	out := ciliumv2.Selector{MatchLabels: make(map[string]string, len(s.MatchLabels))}
	for k, v := range s.MatchLabels {
		out.MatchLabels[prefix+k] = v
	}
	for _, e := range s.MatchExpressions {
		out.MatchExpressions = append(out.MatchExpressions, ciliumv2.Requirement{Key: prefix + e.Key, Operator: string(e.Operator), Values: e.Values})
	}
	return out
}

func portsOfKubernetes(ports []networkingv1.NetworkPolicyPort) []ciliumv2.PortRule {
	var list []ciliumv2.Port
	for i := range ports {
		p := &ports[i]
		one := ciliumv2.Port{Port: "0", Protocol: string(corev1.ProtocolTCP)}
		if p.Protocol != nil {
			one.Protocol = string(cmp.Or(*p.Protocol, corev1.ProtocolTCP))
		}
		if p.Port != nil {
			one.Port = p.Port.String()
			if p.EndPort != nil && p.Port.Type == intstr.Int {
				one.EndPort = *p.EndPort
			}
		}
		list = append(list, one)
	}
	var out []ciliumv2.PortRule
	for some := range slices.Chunk(list, maxPorts) {
		out = append(out, ciliumv2.PortRule{Ports: some})
	}
	return out
}
