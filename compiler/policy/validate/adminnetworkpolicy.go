package validate

import (
	"k8s.io/apimachinery/pkg/util/validation/field"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
)

// maxAdminItems is the maximum length of a list of rules, peers or ports in a
// v1alpha1 policy.
const maxAdminItems = 100

var (
	adminActions = []policyv1alpha1.AdminNetworkPolicyRuleAction{
		policyv1alpha1.AdminNetworkPolicyRuleActionAllow,
		policyv1alpha1.AdminNetworkPolicyRuleActionDeny,
		policyv1alpha1.AdminNetworkPolicyRuleActionPass,
	}
	baselineActions = adminActions[:2]
)

const (
	baselineName             = "default"
	baselineNameMessage      = `Only one baseline admin network policy with metadata.name="default" can be created in the cluster`
	baselineNamedPortMessage = "networks/nodes peer cannot be set with namedPorts since there are no namedPorts for networks/nodes"
)

// AdminNetworkPolicy returns why the API server would reject the policy, which
// has its defaults: at most 100 errors, in the order of the fields.
func AdminNetworkPolicy(p *policyv1alpha1.AdminNetworkPolicy) field.ErrorList {
	spec := field.NewPath("spec")
	if p == nil {
		return field.ErrorList{field.Required(spec, "")}
	}
	var c checker
	c.meta(&p.ObjectMeta, false)
	c.numberRange(spec.Child("priority"), p.Spec.Priority, 0, maxPriority)
	c.adminRules(spec, &p.Spec, adminActions, namedPortMessage)
	return c.Errs
}

// BaselineAdminNetworkPolicy returns why the API server would reject the policy,
// which has its defaults: at most 100 errors, in the order of the fields.
func BaselineAdminNetworkPolicy(p *policyv1alpha1.BaselineAdminNetworkPolicy) field.ErrorList {
	spec := field.NewPath("spec")
	if p == nil {
		return field.ErrorList{field.Required(spec, "")}
	}
	var c checker
	c.meta(&p.ObjectMeta, false)
	if p.Name != baselineName {
		// The API server has no path for it, and prints "<nil>".
		c.Add(field.Invalid(field.NewPath("metadata", "name"), p.Name, baselineNameMessage))
	}
	c.adminRules(spec, FromBaseline(&p.Spec), baselineActions, baselineNamedPortMessage)
	return c.Errs
}

// FromBaseline returns the fields of a baseline policy as those of an
// AdminNetworkPolicy, which has the same ones and more. The result shares them.
func FromBaseline(s *policyv1alpha1.BaselineAdminNetworkPolicySpec) *policyv1alpha1.AdminNetworkPolicySpec {
	out := &policyv1alpha1.AdminNetworkPolicySpec{Subject: s.Subject}
	for _, r := range s.Ingress {
		action := policyv1alpha1.AdminNetworkPolicyRuleAction(r.Action)
		out.Ingress = append(out.Ingress, policyv1alpha1.AdminNetworkPolicyIngressRule{Name: r.Name, Action: action, From: r.From, Ports: r.Ports})
	}
	for _, r := range s.Egress {
		rule := policyv1alpha1.AdminNetworkPolicyEgressRule{Name: r.Name, Action: policyv1alpha1.AdminNetworkPolicyRuleAction(r.Action), Ports: r.Ports}
		if r.To != nil {
			rule.To = make([]policyv1alpha1.AdminNetworkPolicyEgressPeer, 0, len(r.To))
		}
		for _, p := range r.To {
			rule.To = append(rule.To, policyv1alpha1.AdminNetworkPolicyEgressPeer{Namespaces: p.Namespaces, Pods: p.Pods, Nodes: p.Nodes, Networks: p.Networks})
		}
		out.Egress = append(out.Egress, rule)
	}
	return out
}

// adminRules checks what both kinds have.
func (c *checker) adminRules(spec *field.Path, s *policyv1alpha1.AdminNetworkPolicySpec, actions []policyv1alpha1.AdminNetworkPolicyRuleAction, portMessage string) {
	c.subject(s.Subject.Namespaces, (*namespacedPod)(s.Subject.Pods))
	if at := spec.Child("ingress"); c.length(at, len(s.Ingress), 0, maxAdminItems) {
		each(c, at, s.Ingress, func(at *field.Path, r *policyv1alpha1.AdminNetworkPolicyIngressRule) {
			c.characters(at.Child("name"), r.Name, maxRuleName)
			enum(c, at.Child("action"), r.Action, actions)
			requiredList(c, at.Child("from"), r.From, maxAdminItems, c.adminSource)
			c.adminPorts(at.Child("ports"), r.Ports)
		})
	}
	if at := spec.Child("egress"); c.length(at, len(s.Egress), 0, maxAdminItems) {
		each(c, at, s.Egress, func(path *field.Path, r *policyv1alpha1.AdminNetworkPolicyEgressRule) {
			c.characters(path.Child("name"), r.Name, maxRuleName)
			enum(c, path.Child("action"), r.Action, actions)
			portless := false
			requiredList(c, path.Child("to"), r.To, maxAdminItems, func(at *field.Path, p *policyv1alpha1.AdminNetworkPolicyEgressPeer) {
				portless = portless || p.Nodes != nil || p.Networks != nil || p.DomainNames != nil
				checkPeer(c, at, &peer[policyv1alpha1.CIDR, policyv1alpha1.DomainName]{p.Namespaces, (*namespacedPod)(p.Pods), p.Nodes, p.Networks, p.DomainNames})
				if p.DomainNames != nil && r.Action != policyv1alpha1.AdminNetworkPolicyRuleActionAllow {
					c.domainNamesNeed("Allow", at)
				}
			})
			if c.adminPorts(path.Child("ports"), r.Ports) && portless {
				c.Add(field.Invalid(path, field.OmitValueType{}, portMessage))
			}
		})
	}
}

func (c *checker) adminSource(path *field.Path, p *policyv1alpha1.AdminNetworkPolicyIngressPeer) {
	checkPeer(c, path, &peer[string, string]{namespaces: p.Namespaces, pods: (*namespacedPod)(p.Pods)})
}

// adminPorts reports whether one of the ports is named.
func (c *checker) adminPorts(path *field.Path, ports *[]policyv1alpha1.AdminNetworkPolicyPort) (named bool) {
	if ports == nil || !c.length(path, len(*ports), 1, maxAdminItems) {
		return false
	}
	each(c, path, *ports, func(at *field.Path, p *policyv1alpha1.AdminNetworkPolicyPort) {
		named = named || p.NamedPort != nil
		c.oneOf(at, p.PortNumber != nil, p.NamedPort != nil, p.PortRange != nil)
		if n := p.PortNumber; n != nil {
			c.protocol(at.Child("portNumber", "protocol"), n.Protocol)
			c.numberRange(at.Child("portNumber", "port"), n.Port, 1, maxPort)
		}
		if r := p.PortRange; r != nil {
			c.protocol(at.Child("portRange", "protocol"), r.Protocol)
			c.numberRange(at.Child("portRange", "start"), r.Start, 1, maxPort)
			c.numberRange(at.Child("portRange", "end"), r.End, 1, maxPort)
			if r.Start > r.End {
				c.Add(field.Invalid(at.Child("portRange"), field.OmitValueType{}, "Start port must be less than End port"))
			}
		}
	})
	return named
}
