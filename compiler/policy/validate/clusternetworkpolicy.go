package validate

import (
	"k8s.io/apimachinery/pkg/util/validation/field"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"
)

const (
	// maxItems is the maximum length of a list of rules, peers or protocols in a
	// ClusterNetworkPolicy.
	maxItems = 25
	// maxPriority is the lowest precedence of an admin policy.
	maxPriority = 1000
	maxPort     = 65535
)

var (
	tiers   = []policyv1beta1.Tier{policyv1beta1.AdminTier, policyv1beta1.BaselineTier}
	actions = []policyv1beta1.ClusterNetworkPolicyRuleAction{
		policyv1beta1.ClusterNetworkPolicyRuleActionAccept,
		policyv1beta1.ClusterNetworkPolicyRuleActionDeny,
		policyv1beta1.ClusterNetworkPolicyRuleActionPass,
	}
)

// namedPortMessage is the API's message for a rule with peers that have no named ports.
const namedPortMessage = "networks/nodes/domainNames peer cannot be set with namedPorts since there are no namedPorts for networks/nodes/domainNames"

// ClusterNetworkPolicy returns why the API server would reject the policy: at
// most 100 errors, in the order of the fields.
func ClusterNetworkPolicy(p *policyv1beta1.ClusterNetworkPolicy) field.ErrorList {
	spec := field.NewPath("spec")
	if p == nil {
		return field.ErrorList{field.Required(spec, "")}
	}
	c := checker{masked: p.APIVersion == policyv1beta1.GroupVersion.String()}
	c.meta(&p.ObjectMeta, false)
	enum(&c, spec.Child("tier"), p.Spec.Tier, tiers)
	c.numberRange(spec.Child("priority"), p.Spec.Priority, 0, maxPriority)
	c.subject(p.Spec.Subject.Namespaces, p.Spec.Subject.Pods)
	if at := spec.Child("ingress"); c.length(at, len(p.Spec.Ingress), 0, maxItems) {
		each(&c, at, p.Spec.Ingress, c.clusterIngress)
	}
	if at := spec.Child("egress"); c.length(at, len(p.Spec.Egress), 0, maxItems) {
		each(&c, at, p.Spec.Egress, c.clusterEgress)
	}
	return c.Errs
}

func (c *checker) clusterIngress(path *field.Path, r *policyv1beta1.ClusterNetworkPolicyIngressRule) {
	c.characters(path.Child("name"), r.Name, maxRuleName)
	enum(c, path.Child("action"), r.Action, actions)
	requiredList(c, path.Child("from"), r.From, maxItems, func(at *field.Path, p *policyv1beta1.ClusterNetworkPolicyIngressPeer) {
		checkPeer(c, at, &peer[string, string]{namespaces: p.Namespaces, pods: p.Pods})
	})
	optionalList(c, path.Child("protocols"), r.Protocols, maxItems, c.clusterProtocol)
}

func (c *checker) clusterEgress(path *field.Path, r *policyv1beta1.ClusterNetworkPolicyEgressRule) {
	c.characters(path.Child("name"), r.Name, maxRuleName)
	enum(c, path.Child("action"), r.Action, actions)
	portless := false
	requiredList(c, path.Child("to"), r.To, maxItems, func(at *field.Path, p *policyv1beta1.ClusterNetworkPolicyEgressPeer) {
		portless = portless || p.Nodes != nil || p.Networks != nil || p.DomainNames != nil
		checkPeer(c, at, &peer[policyv1beta1.CIDR, policyv1beta1.DomainName]{p.Namespaces, p.Pods, p.Nodes, p.Networks, p.DomainNames})
		if p.DomainNames != nil && r.Action != policyv1beta1.ClusterNetworkPolicyRuleActionAccept {
			c.domainNamesNeed("Accept", at)
		}
	})
	named := false
	optionalList(c, path.Child("protocols"), r.Protocols, maxItems, func(at *field.Path, p *policyv1beta1.ClusterNetworkPolicyProtocol) {
		named = named || p.DestinationNamedPort != ""
		c.clusterProtocol(at, p)
	})
	if portless && named {
		c.Add(field.Invalid(path, field.OmitValueType{}, namedPortMessage))
	}
}

func (c *checker) clusterProtocol(path *field.Path, p *policyv1beta1.ClusterNetworkPolicyProtocol) {
	c.oneOf(path, p.TCP != nil, p.UDP != nil, p.SCTP != nil, p.DestinationNamedPort != "")
	if p.TCP != nil {
		c.destinationPort(path.Child("tcp"), p.TCP.DestinationPort)
	}
	if p.UDP != nil {
		c.destinationPort(path.Child("udp"), p.UDP.DestinationPort)
	}
	if p.SCTP != nil {
		c.destinationPort(path.Child("sctp"), p.SCTP.DestinationPort)
	}
}

// destinationPort checks the port of a protocol; without it the protocol has no
// field.
func (c *checker) destinationPort(protocol *field.Path, p *policyv1beta1.Port) {
	if p == nil {
		c.noProperties(protocol)
		return
	}
	path := protocol.Child("destinationPort")
	c.oneOf(path, p.Number != 0, p.Range != nil)
	if p.Number != 0 {
		c.numberRange(path.Child("number"), p.Number, 1, maxPort)
	}
	if p.Range == nil {
		return
	}
	c.numberRange(path.Child("range", "start"), p.Range.Start, 1, maxPort)
	c.numberRange(path.Child("range", "end"), p.Range.End, 1, maxPort)
	if p.Range.Start >= p.Range.End {
		c.Add(field.Invalid(path.Child("range"), field.OmitValueType{}, "Start port must be less than End port"))
	}
}

// requiredList checks a list that must exist and must not be empty.
func requiredList[T any](c *checker, path *field.Path, list []T, most int, check func(*field.Path, *T)) {
	if list == nil {
		c.Add(field.Required(path, ""))
		return
	}
	optionalList(c, path, list, most, check)
}

// optionalList checks a list that may be missing but not empty.
func optionalList[T any](c *checker, path *field.Path, list []T, most int, check func(*field.Path, *T)) {
	if list != nil && c.length(path, len(list), 1, most) {
		each(c, path, list, check)
	}
}
