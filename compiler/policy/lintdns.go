package policy

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

const (
	portDNS = 53
	// portAPI is the port of API servers (kubeadm's default).
	portAPI = 6443
	// dnsNamespace is where clusters have their DNS.
	dnsNamespace = "kube-system"
)

// dns reports pods of a namespace that may connect to somebody and can ask for
// nobody's address. A pod that may connect to nobody is meant to be alone.
func (l *linter) dns(n *namespace) {
	blocked := make(map[*policy][]string)
	for _, pod := range n.pods {
		var open []*policy
		mayAsk := l.clusterAllowsDNS(pod)
		for _, p := range l.network[n.name] {
			if !p.isolates[ir.Egress] || !p.subject.matches(pod) {
				continue
			}
			rules := p.rules[ir.Egress]
			if slices.ContainsFunc(rules, func(r rule) bool { return r.reachesSomebody() }) {
				open = append(open, p)
			}
			mayAsk = mayAsk || slices.ContainsFunc(rules, func(r rule) bool { return r.mayBeDNS() })
		}
		for _, p := range open {
			if !mayAsk {
				blocked[p] = append(blocked[p], pod.name)
			}
		}
	}
	for p, pods := range blocked {
		l.diags.Add(diag.BlocksDNS, p.origin.At("spec.egress"), fmt.Sprintf("%d pods, as %s, may not send to port 53, by this policy or another", len(pods), pods[0]))
	}
}

// reachesSomebody reports whether names are of use with the rule: a network has
// its addresses written down, and pods are told the API server's.
func (r *rule) reachesSomebody() bool {
	if !r.ports.any && len(r.ports.named) == 0 && !slices.ContainsFunc(r.ports.ranges, func(p ir.PortRange) bool { return p.First != portAPI || p.Last != portAPI }) {
		return false
	}
	return r.anyPeer || slices.ContainsFunc(r.peers, func(p *peer) bool { return p.networks == nil })
}

// clusterAllowsDNS reports whether a cluster policy accepts something on port 53
// for the pod, whatever comes before it.
func (l *linter) clusterAllowsDNS(pod *pod) bool {
	return slices.ContainsFunc(l.cluster, func(p *policy) bool {
		return p.tier == ir.AdminTier && p.subject.matches(pod) &&
			slices.ContainsFunc(p.rules[ir.Egress], func(r rule) bool { return r.action == ir.Accept && r.mayBeDNS() })
	})
}

// mayBeDNS reports whether the rule could be what lets DNS through. A rule that
// names the port was written for it, whoever it names; others must reach the
// namespace where DNS is.
func (r *rule) mayBeDNS() bool {
	named, every := r.ports.dns()
	if named || !every {
		return named
	}
	return r.anyPeer || slices.ContainsFunc(r.peers, func(p *peer) bool { return p.mayBeDNS() })
}

// dns says whether port 53 is among the ports by itself, and whether it is
// because all are.
func (p *ports) dns() (named, every bool) {
	for _, r := range p.ranges {
		if r.Protocol == ir.SCTP || r.First > portDNS || r.Last < portDNS {
			continue
		}
		if r.First <= 1 && r.Last == 65535 {
			every = true
		} else {
			named = true
		}
	}
	named = named || slices.ContainsFunc(p.named, func(n namedPort) bool { return strings.Contains(n.name, "dns") || strings.Contains(n.name, "domain") })
	return named, every || p.any
}

func (p *peer) mayBeDNS() bool {
	switch {
	case p.pods == nil:
		return true // networks and nodes may well be it
	case p.pods.own != "":
		return p.pods.own == dnsNamespace
	}
	s := &p.pods.namespaces
	return !s.onlyAsks(corev1.LabelMetadataName) || s.Matches(labels.Set{corev1.LabelMetadataName: dnsNamespace})
}
