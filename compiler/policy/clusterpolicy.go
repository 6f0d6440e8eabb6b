package policy

import (
	"fmt"

	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// clusterPolicy compiles a ClusterNetworkPolicy that validation has accepted.
// The origin is that of the original object, which may have another kind.
func (x *peers) clusterPolicy(kind string, spec *policyv1beta1.ClusterNetworkPolicySpec, origin ir.Origin, diags *diag.List) *policy {
	p := &policy{
		kind: kind, tier: ir.AdminTier, priority: spec.Priority, origin: origin,
		subject: clusterSubject(&spec.Subject), rules: make(map[ir.Direction][]rule),
	}
	if spec.Tier == policyv1beta1.BaselineTier {
		p.tier = ir.BaselineTier
	}
	for i := range spec.Ingress {
		in := &spec.Ingress[i]
		c := x.newClusterRule(in.Action, in.Name, origin.At(fmt.Sprintf("spec.ingress[%d]", i)), diags)
		for j, from := range in.From {
			c.addPeer(fmt.Sprintf(".from[%d]", j), &policyv1beta1.ClusterNetworkPolicyEgressPeer{Namespaces: from.Namespaces, Pods: from.Pods})
		}
		p.rules[ir.Ingress] = append(p.rules[ir.Ingress], c.finish(in.Protocols))
	}
	for i := range spec.Egress {
		out := &spec.Egress[i]
		c := x.newClusterRule(out.Action, out.Name, origin.At(fmt.Sprintf("spec.egress[%d]", i)), diags)
		for j := range out.To {
			c.addPeer(fmt.Sprintf(".to[%d]", j), &out.To[j])
		}
		p.rules[ir.Egress] = append(p.rules[ir.Egress], c.finish(out.Protocols))
	}
	return p
}

func clusterSubject(s *policyv1beta1.ClusterNetworkPolicySubject) podSelector {
	if s.Pods != nil {
		return namespacedPods(s.Pods)
	}
	return podSelector{namespaces: newSelector(s.Namespaces), pods: newSelector(nil)}
}

func namespacedPods(s *policyv1beta1.NamespacedPod) podSelector {
	return podSelector{namespaces: newSelector(&s.NamespaceSelector), pods: newSelector(&s.PodSelector)}
}

// clusterRule is a rule during compilation.
type clusterRule struct {
	*peers
	rule
	// unknown reports that a peer or a protocol has a kind that planec does not
	// know.
	unknown bool
	diags   *diag.List
}

var actions = map[policyv1beta1.ClusterNetworkPolicyRuleAction]ir.Action{
	policyv1beta1.ClusterNetworkPolicyRuleActionAccept: ir.Accept,
	policyv1beta1.ClusterNetworkPolicyRuleActionDeny:   ir.Deny,
	policyv1beta1.ClusterNetworkPolicyRuleActionPass:   ir.Pass,
}

func (x *peers) newClusterRule(action policyv1beta1.ClusterNetworkPolicyRuleAction, name string, origin ir.Origin, diags *diag.List) *clusterRule {
	return &clusterRule{peers: x, rule: rule{action: actions[action], name: name, origin: origin}, diags: diags}
}

func (c *clusterRule) addPeer(path string, p *policyv1beta1.ClusterNetworkPolicyEgressPeer) {
	at := c.origin.At(c.origin.Path + path)
	switch {
	case p.Namespaces != nil:
		c.rule.peers = append(c.rule.peers, c.ofPods(podSelector{namespaces: newSelector(p.Namespaces), pods: newSelector(nil)}))
	case p.Pods != nil:
		c.rule.peers = append(c.rule.peers, c.ofPods(namespacedPods(p.Pods)))
	case p.Nodes != nil:
		c.rule.peers = append(c.rule.peers, c.ofNodes(newSelector(p.Nodes)))
	case len(p.Networks) > 0:
		for _, n := range p.Networks {
			c.rule.peers = append(c.rule.peers, c.ofNetwork(cidr(string(n)), nil))
		}
	case len(p.DomainNames) > 0:
		c.diags.Add(diag.DomainNames, at.At(at.Path+".domainNames"), fmt.Sprintf("%d domain names are not enforced: the rule accepts nothing by them", len(p.DomainNames)))
	default:
		c.diags.Add(diag.UnknownPeer, at, c.consequence())
		c.unknown = true
	}
}

func (c *clusterRule) consequence() string {
	if c.action == ir.Accept {
		return "the rule accepts nothing"
	}
	return "the rule denies everything"
}

func (c *clusterRule) finish(protocols []policyv1beta1.ClusterNetworkPolicyProtocol) rule {
	c.ports.any = len(protocols) == 0
	for i := range protocols {
		c.addProtocol(fmt.Sprintf(".protocols[%d]", i), &protocols[i])
	}
	if c.unknown {
		c.failClosed()
	}
	return c.rule
}

func (c *clusterRule) addProtocol(path string, p *policyv1beta1.ClusterNetworkPolicyProtocol) {
	switch {
	case p.TCP != nil:
		c.addPort(ir.TCP, p.TCP.DestinationPort)
	case p.UDP != nil:
		c.addPort(ir.UDP, p.UDP.DestinationPort)
	case p.SCTP != nil:
		c.addPort(ir.SCTP, p.SCTP.DestinationPort)
	case p.DestinationNamedPort != "":
		c.ports.named = append(c.ports.named, namedPort{name: p.DestinationNamedPort})
	default:
		c.diags.Add(diag.UnknownPeer, c.origin.At(c.origin.Path+path), "a protocol of an unknown kind: "+c.consequence())
		c.unknown = true
	}
}

func (c *clusterRule) addPort(proto ir.Protocol, p *policyv1beta1.Port) {
	r := everyPort(proto)
	switch {
	case p == nil:
	case p.Range != nil:
		r.First, r.Last = uint16(p.Range.Start), uint16(p.Range.End)
	default:
		r.First, r.Last = uint16(p.Number), uint16(p.Number)
	}
	c.ports.ranges = append(c.ports.ranges, r)
}
