package policy

import (
	corev1 "k8s.io/api/core/v1"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1alpha2 "sigs.k8s.io/network-policy-api/apis/v1alpha2"
)

// The functions below turn policies of v1alpha1 into those of v1alpha2. Fields
// stand at the same paths, but for ports, so origins stay true.

// afterAll is the priority of the BaselineAdminNetworkPolicy, of which there is
// one: after every ClusterNetworkPolicy of the Baseline tier, whose priorities
// end at 1000.
const afterAll = 1001

func fromAdmin(s *policyv1alpha1.AdminNetworkPolicySpec) *policyv1alpha2.ClusterNetworkPolicySpec {
	out := &policyv1alpha2.ClusterNetworkPolicySpec{Tier: policyv1alpha2.AdminTier, Priority: s.Priority, Subject: subjectFrom(&s.Subject)}
	for _, r := range s.Ingress {
		out.Ingress = append(out.Ingress, policyv1alpha2.ClusterNetworkPolicyIngressRule{
			Name: r.Name, Action: actionFrom(string(r.Action)), From: ingressPeersFrom(r.From), Protocols: protocolsFrom(r.Ports),
		})
	}
	for _, r := range s.Egress {
		rule := policyv1alpha2.ClusterNetworkPolicyEgressRule{Name: r.Name, Action: actionFrom(string(r.Action)), Protocols: protocolsFrom(r.Ports)}
		for _, p := range r.To {
			peer := policyv1alpha2.ClusterNetworkPolicyEgressPeer{Namespaces: p.Namespaces, Pods: podsFrom(p.Pods), Nodes: p.Nodes, Networks: networksFrom(p.Networks)}
			for _, n := range p.DomainNames {
				peer.DomainNames = append(peer.DomainNames, policyv1alpha2.DomainName(n))
			}
			rule.To = append(rule.To, peer)
		}
		out.Egress = append(out.Egress, rule)
	}
	return out
}

func fromBaseline(s *policyv1alpha1.BaselineAdminNetworkPolicySpec) *policyv1alpha2.ClusterNetworkPolicySpec {
	out := &policyv1alpha2.ClusterNetworkPolicySpec{Tier: policyv1alpha2.BaselineTier, Priority: afterAll, Subject: subjectFrom(&s.Subject)}
	for _, r := range s.Ingress {
		out.Ingress = append(out.Ingress, policyv1alpha2.ClusterNetworkPolicyIngressRule{
			Name: r.Name, Action: actionFrom(string(r.Action)), From: ingressPeersFrom(r.From), Protocols: protocolsFrom(r.Ports),
		})
	}
	for _, r := range s.Egress {
		rule := policyv1alpha2.ClusterNetworkPolicyEgressRule{Name: r.Name, Action: actionFrom(string(r.Action)), Protocols: protocolsFrom(r.Ports)}
		for _, p := range r.To {
			rule.To = append(rule.To, policyv1alpha2.ClusterNetworkPolicyEgressPeer{
				Namespaces: p.Namespaces, Pods: podsFrom(p.Pods), Nodes: p.Nodes, Networks: networksFrom(p.Networks),
			})
		}
		out.Egress = append(out.Egress, rule)
	}
	return out
}

func subjectFrom(s *policyv1alpha1.AdminNetworkPolicySubject) policyv1alpha2.ClusterNetworkPolicySubject {
	return policyv1alpha2.ClusterNetworkPolicySubject{Namespaces: s.Namespaces, Pods: podsFrom(s.Pods)}
}

func podsFrom(p *policyv1alpha1.NamespacedPod) *policyv1alpha2.NamespacedPod {
	if p == nil {
		return nil
	}
	return &policyv1alpha2.NamespacedPod{NamespaceSelector: p.NamespaceSelector, PodSelector: p.PodSelector}
}

func actionFrom(action string) policyv1alpha2.ClusterNetworkPolicyRuleAction {
	if action == string(policyv1alpha1.AdminNetworkPolicyRuleActionAllow) {
		return policyv1alpha2.ClusterNetworkPolicyRuleActionAccept
	}
	return policyv1alpha2.ClusterNetworkPolicyRuleAction(action)
}

func ingressPeersFrom(peers []policyv1alpha1.AdminNetworkPolicyIngressPeer) []policyv1alpha2.ClusterNetworkPolicyIngressPeer {
	var out []policyv1alpha2.ClusterNetworkPolicyIngressPeer
	for _, p := range peers {
		out = append(out, policyv1alpha2.ClusterNetworkPolicyIngressPeer{Namespaces: p.Namespaces, Pods: podsFrom(p.Pods)})
	}
	return out
}

func networksFrom(cidrs []policyv1alpha1.CIDR) []policyv1alpha2.CIDR {
	var out []policyv1alpha2.CIDR
	for _, c := range cidrs {
		out = append(out, policyv1alpha2.CIDR(c))
	}
	return out
}

// protocolsFrom takes an empty list for none, as NetworkPolicy does.
func protocolsFrom(ports *[]policyv1alpha1.AdminNetworkPolicyPort) []policyv1alpha2.ClusterNetworkPolicyProtocol {
	if ports == nil {
		return nil
	}
	var out []policyv1alpha2.ClusterNetworkPolicyProtocol
	for _, p := range *ports {
		switch {
		case p.PortNumber != nil:
			out = append(out, protocolFrom(p.PortNumber.Protocol, &policyv1alpha2.Port{Number: p.PortNumber.Port}))
		case p.PortRange != nil:
			out = append(out, protocolFrom(p.PortRange.Protocol, &policyv1alpha2.Port{Range: &policyv1alpha2.PortRange{Start: p.PortRange.Start, End: p.PortRange.End}}))
		case p.NamedPort != nil:
			out = append(out, policyv1alpha2.ClusterNetworkPolicyProtocol{DestinationNamedPort: *p.NamedPort})
		default:
			out = append(out, policyv1alpha2.ClusterNetworkPolicyProtocol{})
		}
	}
	return out
}

// protocolFrom leaves the protocol out for TCP, the default of v1alpha1.
func protocolFrom(proto corev1.Protocol, port *policyv1alpha2.Port) policyv1alpha2.ClusterNetworkPolicyProtocol {
	switch proto {
	case corev1.ProtocolUDP:
		return policyv1alpha2.ClusterNetworkPolicyProtocol{UDP: &policyv1alpha2.ClusterNetworkPolicyProtocolUDP{DestinationPort: port}}
	case corev1.ProtocolSCTP:
		return policyv1alpha2.ClusterNetworkPolicyProtocol{SCTP: &policyv1alpha2.ClusterNetworkPolicyProtocolSCTP{DestinationPort: port}}
	}
	return policyv1alpha2.ClusterNetworkPolicyProtocol{TCP: &policyv1alpha2.ClusterNetworkPolicyProtocolTCP{DestinationPort: port}}
}
