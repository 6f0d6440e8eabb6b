package cilium

import (
	"github.com/planec/planec/compiler/objects/ciliumv2"
)

// peersOf reads the other end of a rule. It is nil if the rule matches nothing: because a
// list is empty, or because it has neither peers nor ports
// (pkg/policy/rule.go, mergeL4Filter).
//
// Where Cilium loses peers that it cannot tell and opens a port for everybody, the peers
// here are none, and those of a rule that denies are everybody.
func (p *policy) peersOf(v *view) *peers {
	switch {
	case v.selectsNobody():
		return nil
	case !v.hasPeers() && !v.hasPorts():
		return nil
	case !v.hasPeers():
		return &peers{any: true}
	}
	out := &peers{}
	for i := range v.endpoints {
		out.selectors = append(out.selectors, p.endpoint(&v.endpoints[i]))
	}
	for i := range v.nodes {
		out.selectors = append(out.selectors, p.nodesOf(&v.nodes[i]))
	}
	for _, name := range v.entities {
		if name == everybody {
			out.any = true
			continue
		}
		out.cluster = out.cluster || name == "cluster"
		out.selectors = append(out.selectors, p.world.entity(name)...)
	}
	for _, text := range v.cidrs {
		out.networks = append(out.networks, p.world.networkOf(&ciliumv2.CIDRRule{CIDR: text}))
	}
	for i := range v.cidrSets {
		out.networks = append(out.networks, p.world.networkOf(&v.cidrSets[i]))
	}
	for i := range v.domains {
		out.domains = append(out.domains, newDomain(&v.domains[i]))
	}
	for i := range v.services {
		out.addService(p.world, &v.services[i])
	}
	return p.closed(v, out)
}

// closed makes a rule that denies deny everybody on its ports if an empty list leaves it
// without peers, as Cilium has it. A rule that allows opens nothing.
func (p *policy) closed(v *view, out *peers) *peers {
	if v.deny && v.hasPorts() && len(v.endpoints)+len(v.nodes)+len(v.entities)+len(v.cidrs)+len(v.cidrSets)+len(v.groups)+len(v.services) == 0 {
		return &peers{any: true}
	}
	return out
}

// endpoint reads a selector of pods. Without a namespace it means the policy's, or every
// pod that has one; without a cluster it means this one; with a reserved label neither
// (pkg/k8s/apis/cilium.io/utils/utils.go, getEndpointSelector).
func (p *policy) endpoint(from *ciliumv2.Selector) selector {
	s := newSelector(from)
	if s.hasReserved() {
		return s
	}
	switch {
	case s.names(labelNamespace):
	case p.namespace == "" && !p.matchesInit:
		s = s.with(requirement{sourceK8s, labelNamespace, opExists, nil})
	case p.namespace != "" && !s.namesPrefix(prefixNamespaceLabel):
		s = s.with(requirement{sourceK8s, labelNamespace, opIn, []string{p.namespace}})
	}
	return p.ofCluster(s)
}

// nodesOf reads a selector of nodes, which means other nodes than the own one.
func (p *policy) nodesOf(from *ciliumv2.Selector) selector {
	return p.ofCluster(newSelector(from).with(requirement{sourceReserved, reservedRemoteNode, opExists, nil}))
}

// ofCluster restricts a selector to the own cluster, unless it names clusters.
func (p *policy) ofCluster(s selector) selector {
	if s.names(labelCluster) {
		return s
	}
	return s.with(requirement{sourceK8s, labelCluster, opIn, []string{p.world.options.clusterName}})
}
