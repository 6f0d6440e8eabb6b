package manifest

import (
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"
)

// A policy keeps everything except its status. Selectors repeat from one policy
// to the next, so their strings are shared.

func (d *decoder) networkPolicy(p *networkingv1.NetworkPolicy) *networkingv1.NetworkPolicy {
	defaultNetworkPolicy(p)
	spec := &p.Spec
	d.selector(&spec.PodSelector)
	for i := range spec.Ingress {
		d.policyPeers(spec.Ingress[i].From)
		d.policyPorts(spec.Ingress[i].Ports)
	}
	for i := range spec.Egress {
		d.policyPeers(spec.Egress[i].To)
		d.policyPorts(spec.Egress[i].Ports)
	}
	return &networkingv1.NetworkPolicy{ObjectMeta: d.meta(&p.ObjectMeta), Spec: *spec}
}

func (d *decoder) policyPeers(peers []networkingv1.NetworkPolicyPeer) {
	for i := range peers {
		d.selector(peers[i].PodSelector)
		d.selector(peers[i].NamespaceSelector)
	}
}

func (d *decoder) policyPorts(ports []networkingv1.NetworkPolicyPort) {
	for i := range ports {
		p := &ports[i]
		p.Protocol = share(d.shared, p.Protocol)
		if p.Port != nil {
			p.Port.StrVal = d.shared.string(p.Port.StrVal)
		}
	}
}

func (d *decoder) clusterNetworkPolicy(p *policyv1beta1.ClusterNetworkPolicy) *policyv1beta1.ClusterNetworkPolicy {
	spec := &p.Spec
	d.peer(spec.Subject.Namespaces, nil, (*policyv1alpha1.NamespacedPod)(spec.Subject.Pods))
	for _, rule := range spec.Ingress {
		for _, peer := range rule.From {
			d.peer(peer.Namespaces, nil, (*policyv1alpha1.NamespacedPod)(peer.Pods))
		}
	}
	for _, rule := range spec.Egress {
		for _, peer := range rule.To {
			d.peer(peer.Namespaces, peer.Nodes, (*policyv1alpha1.NamespacedPod)(peer.Pods))
		}
	}
	// The version determines which networks are valid.
	version := metav1.TypeMeta{APIVersion: p.APIVersion}
	return &policyv1beta1.ClusterNetworkPolicy{TypeMeta: version, ObjectMeta: d.meta(&p.ObjectMeta), Spec: *spec}
}

func (d *decoder) adminNetworkPolicy(p *policyv1alpha1.AdminNetworkPolicy) *policyv1alpha1.AdminNetworkPolicy {
	spec := &p.Spec
	d.peer(spec.Subject.Namespaces, nil, spec.Subject.Pods)
	for _, rule := range spec.Ingress {
		d.adminSources(rule.From)
		defaultAdminPorts(rule.Ports)
	}
	for _, rule := range spec.Egress {
		for _, peer := range rule.To {
			d.peer(peer.Namespaces, peer.Nodes, peer.Pods)
		}
		defaultAdminPorts(rule.Ports)
	}
	return &policyv1alpha1.AdminNetworkPolicy{ObjectMeta: d.meta(&p.ObjectMeta), Spec: *spec}
}

func (d *decoder) baselineAdminNetworkPolicy(p *policyv1alpha1.BaselineAdminNetworkPolicy) *policyv1alpha1.BaselineAdminNetworkPolicy {
	spec := &p.Spec
	d.peer(spec.Subject.Namespaces, nil, spec.Subject.Pods)
	for _, rule := range spec.Ingress {
		d.adminSources(rule.From)
		defaultAdminPorts(rule.Ports)
	}
	for _, rule := range spec.Egress {
		for _, peer := range rule.To {
			d.peer(peer.Namespaces, peer.Nodes, peer.Pods)
		}
		defaultAdminPorts(rule.Ports)
	}
	return &policyv1alpha1.BaselineAdminNetworkPolicy{ObjectMeta: d.meta(&p.ObjectMeta), Spec: *spec}
}

func (d *decoder) adminSources(peers []policyv1alpha1.AdminNetworkPolicyIngressPeer) {
	for _, peer := range peers {
		d.peer(peer.Namespaces, nil, peer.Pods)
	}
}

// peer shares the strings of a subject or a peer of either version, whose types of
// pods have the same fields.
func (d *decoder) peer(namespaces, nodes *metav1.LabelSelector, pods *policyv1alpha1.NamespacedPod) {
	d.selector(namespaces)
	d.selector(nodes)
	if pods != nil {
		d.selector(&pods.NamespaceSelector)
		d.selector(&pods.PodSelector)
	}
}

// selector shares the strings of a selector. It keeps an empty one, which
// selects everything, and a missing one as they are.
func (d *decoder) selector(s *metav1.LabelSelector) {
	if s == nil {
		return
	}
	s.MatchLabels = d.shared.labels(s.MatchLabels)
	for i := range s.MatchExpressions {
		e := &s.MatchExpressions[i]
		e.Key = d.shared.string(e.Key)
		e.Operator = metav1.LabelSelectorOperator(d.shared.string(string(e.Operator)))
		for j, v := range e.Values {
			e.Values[j] = d.shared.string(v)
		}
	}
}
