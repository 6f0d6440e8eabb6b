package cilium

import (
	"fmt"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/ir"
)

// view is a rule of any of the four kinds. A nil list is an absent one.
type view struct {
	direction ir.Direction
	deny      bool
	path      string // below the policy: "ingressDeny[0]"

	endpoints []ciliumv2.Selector
	requires  []string
	cidrs     []string
	cidrSets  []ciliumv2.CIDRRule
	entities  []string
	groups    []ciliumv2.CloudGroup
	nodes     []ciliumv2.Selector
	services  []ciliumv2.Service
	domains   []ciliumv2.FQDN
	ports     []ciliumv2.PortRule
	icmps     []ciliumv2.ICMPRule
	auth      *ciliumv2.Authentication
}

// field returns the name of a list of peers: "fromEntities".
func (v *view) field(name string) string {
	if v.direction == ir.Ingress {
		return "from" + name
	}
	return "to" + name
}

// views returns the rules of a policy.
func views(r *ciliumv2.Rule) []view {
	var out []view
	for i := range r.Ingress {
		from := &r.Ingress[i]
		v := ingressView(&from.IngressCommon, fmt.Sprintf("ingress[%d]", i))
		v.ports, v.icmps, v.auth = from.ToPorts, from.ICMPs, from.Authentication
		out = append(out, v)
	}
	for i := range r.IngressDeny {
		from := &r.IngressDeny[i]
		v := ingressView(&from.IngressCommon, fmt.Sprintf("ingressDeny[%d]", i))
		v.ports, v.icmps, v.deny = denied(from.ToPorts), from.ICMPs, true
		out = append(out, v)
	}
	for i := range r.Egress {
		from := &r.Egress[i]
		v := egressView(&from.EgressCommon, fmt.Sprintf("egress[%d]", i))
		v.ports, v.icmps, v.auth, v.domains = from.ToPorts, from.ICMPs, from.Authentication, from.ToFQDNs
		out = append(out, v)
	}
	for i := range r.EgressDeny {
		from := &r.EgressDeny[i]
		v := egressView(&from.EgressCommon, fmt.Sprintf("egressDeny[%d]", i))
		v.ports, v.icmps, v.deny = denied(from.ToPorts), from.ICMPs, true
		out = append(out, v)
	}
	return out
}

func ingressView(c *ciliumv2.IngressCommon, path string) view {
	return view{
		direction: ir.Ingress, path: path, endpoints: c.FromEndpoints, requires: c.FromRequires, cidrs: c.FromCIDR,
		cidrSets: c.FromCIDRSet, entities: c.FromEntities, groups: c.FromGroups, nodes: c.FromNodes,
	}
}

func egressView(c *ciliumv2.EgressCommon, path string) view {
	return view{
		direction: ir.Egress, path: path, endpoints: c.ToEndpoints, requires: c.ToRequires, cidrs: c.ToCIDR,
		cidrSets: c.ToCIDRSet, entities: c.ToEntities, groups: c.ToGroups, nodes: c.ToNodes, services: c.ToServices,
	}
}

// denied returns ports of a rule that denies as those of any rule.
func denied(ports []ciliumv2.PortDenyRule) []ciliumv2.PortRule {
	if ports == nil {
		return nil
	}
	out := make([]ciliumv2.PortRule, len(ports))
	for i := range ports {
		out[i].Ports = ports[i].Ports
	}
	return out
}

// selectsNobody reports whether an empty list makes the rule select nothing
// (pkg/policy/utils/parserules.go, mergeEndpointSelectors).
func (v *view) selectsNobody() bool {
	empty := func(there bool, items int) bool { return there && items == 0 }
	return empty(v.endpoints != nil, len(v.endpoints)) || empty(v.nodes != nil, len(v.nodes)) ||
		empty(v.entities != nil, len(v.entities)) || empty(v.cidrs != nil, len(v.cidrs)) || empty(v.cidrSets != nil, len(v.cidrSets))
}

// hasPeers reports whether the rule names peers, in a list that may be empty.
func (v *view) hasPeers() bool {
	return v.endpoints != nil || v.cidrs != nil || v.cidrSets != nil || v.entities != nil || v.nodes != nil ||
		v.groups != nil || v.services != nil || v.domains != nil
}

// hasPorts reports whether the rule is about some ports only; empty lists count as absent.
func (v *view) hasPorts() bool { return len(v.ports)+len(v.icmps) > 0 }
