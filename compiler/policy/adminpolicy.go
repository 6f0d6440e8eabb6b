package policy

import (
	corev1 "k8s.io/api/core/v1"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"

	"github.com/planec/planec/compiler/policy/validate"
)

// The functions below convert policies of v1alpha1 to v1beta1. Except for
// ports, fields have the same paths, so origins stay true.

// afterAll is the priority of the only BaselineAdminNetworkPolicy: after every
// ClusterNetworkPolicy of the Baseline tier, whose priorities end at 1000.
const afterAll = 1001

func fromAdmin(s *policyv1alpha1.AdminNetworkPolicySpec) *policyv1beta1.ClusterNetworkPolicySpec {
	out := &policyv1beta1.ClusterNetworkPolicySpec{Tier: policyv1beta1.AdminTier, Priority: s.Priority, Subject: subjectFrom(&s.Subject)}
	for _, r := range s.Ingress {
		out.Ingress = append(out.Ingress, policyv1beta1.ClusterNetworkPolicyIngressRule{
			Name: r.Name, Action: actionFrom(string(r.Action)), From: ingressPeersFrom(r.From), Protocols: protocolsFrom(r.Ports),
		})
	}
	for _, r := range s.Egress {
		rule := policyv1beta1.ClusterNetworkPolicyEgressRule{Name: r.Name, Action: actionFrom(string(r.Action)), Protocols: protocolsFrom(r.Ports)}
		for _, p := range r.To {
			peer := policyv1beta1.ClusterNetworkPolicyEgressPeer{Namespaces: p.Namespaces, Pods: podsFrom(p.Pods), Nodes: p.Nodes, Networks: networksFrom(p.Networks)}
			for _, n := range p.DomainNames {
				peer.DomainNames = append(peer.DomainNames, policyv1beta1.DomainName(n))
			}
			rule.To = append(rule.To, peer)
		}
		out.Egress = append(out.Egress, rule)
	}
	return out
}

func fromBaseline(s *policyv1alpha1.BaselineAdminNetworkPolicySpec) *policyv1beta1.ClusterNetworkPolicySpec {
	out := fromAdmin(validate.FromBaseline(s))
	out.Tier, out.Priority = policyv1beta1.BaselineTier, afterAll
	return out
}

func subjectFrom(s *policyv1alpha1.AdminNetworkPolicySubject) policyv1beta1.ClusterNetworkPolicySubject {
	return policyv1beta1.ClusterNetworkPolicySubject{Namespaces: s.Namespaces, Pods: podsFrom(s.Pods)}
}

func podsFrom(p *policyv1alpha1.NamespacedPod) *policyv1beta1.NamespacedPod {
	if p == nil {
		return nil
	}
	return &policyv1beta1.NamespacedPod{NamespaceSelector: p.NamespaceSelector, PodSelector: p.PodSelector}
}

func actionFrom(action string) policyv1beta1.ClusterNetworkPolicyRuleAction {
	if action == string(policyv1alpha1.AdminNetworkPolicyRuleActionAllow) {
		return policyv1beta1.ClusterNetworkPolicyRuleActionAccept
	}
	return policyv1beta1.ClusterNetworkPolicyRuleAction(action)
}

func ingressPeersFrom(peers []policyv1alpha1.AdminNetworkPolicyIngressPeer) []policyv1beta1.ClusterNetworkPolicyIngressPeer {
	var out []policyv1beta1.ClusterNetworkPolicyIngressPeer
	for _, p := range peers {
		out = append(out, policyv1beta1.ClusterNetworkPolicyIngressPeer{Namespaces: p.Namespaces, Pods: podsFrom(p.Pods)})
	}
	return out
}

func networksFrom(cidrs []policyv1alpha1.CIDR) []policyv1beta1.CIDR {
	var out []policyv1beta1.CIDR
	for _, c := range cidrs {
		out = append(out, policyv1beta1.CIDR(c))
	}
	return out
}

// protocolsFrom treats an empty list like a missing one, as NetworkPolicy does.
func protocolsFrom(ports *[]policyv1alpha1.AdminNetworkPolicyPort) []policyv1beta1.ClusterNetworkPolicyProtocol {
	if ports == nil {
		return nil
	}
	var out []policyv1beta1.ClusterNetworkPolicyProtocol
	for _, p := range *ports {
		switch {
		case p.PortNumber != nil:
			out = append(out, protocolFrom(p.PortNumber.Protocol, &policyv1beta1.Port{Number: p.PortNumber.Port}))
		case p.PortRange != nil:
			out = append(out, protocolFrom(p.PortRange.Protocol, &policyv1beta1.Port{Range: &policyv1beta1.PortRange{Start: p.PortRange.Start, End: p.PortRange.End}}))
		case p.NamedPort != nil:
			out = append(out, policyv1beta1.ClusterNetworkPolicyProtocol{DestinationNamedPort: *p.NamedPort})
		default:
			out = append(out, policyv1beta1.ClusterNetworkPolicyProtocol{})
		}
	}
	return out
}

// protocolFrom omits the protocol for TCP, the default of v1alpha1.
func protocolFrom(proto corev1.Protocol, port *policyv1beta1.Port) policyv1beta1.ClusterNetworkPolicyProtocol {
	switch proto {
	case corev1.ProtocolUDP:
		return policyv1beta1.ClusterNetworkPolicyProtocol{UDP: &policyv1beta1.ClusterNetworkPolicyProtocolUDP{DestinationPort: port}}
	case corev1.ProtocolSCTP:
		return policyv1beta1.ClusterNetworkPolicyProtocol{SCTP: &policyv1beta1.ClusterNetworkPolicyProtocolSCTP{DestinationPort: port}}
	}
	return policyv1beta1.ClusterNetworkPolicyProtocol{TCP: &policyv1beta1.ClusterNetworkPolicyProtocolTCP{DestinationPort: port}}
}
