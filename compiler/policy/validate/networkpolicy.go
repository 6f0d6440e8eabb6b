package validate

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

var (
	protocols   = []corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP}
	policyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
)

// NetworkPolicy returns why the API server would reject the policy, which has
// its defaults: at most 100 errors, in the order of the fields.
func NetworkPolicy(p *networkingv1.NetworkPolicy) field.ErrorList {
	spec := field.NewPath("spec")
	if p == nil {
		return field.ErrorList{field.Required(spec, "")}
	}
	var c checker
	c.meta(&p.ObjectMeta, true)
	c.selector(spec.Child("podSelector"), &p.Spec.PodSelector)
	each(&c, spec.Child("ingress"), p.Spec.Ingress, func(at *field.Path, r *networkingv1.NetworkPolicyIngressRule) {
		each(&c, at.Child("ports"), r.Ports, c.networkPolicyPort)
		each(&c, at.Child("from"), r.From, c.networkPolicyPeer)
	})
	each(&c, spec.Child("egress"), p.Spec.Egress, func(at *field.Path, r *networkingv1.NetworkPolicyEgressRule) {
		each(&c, at.Child("ports"), r.Ports, c.networkPolicyPort)
		each(&c, at.Child("to"), r.To, c.networkPolicyPeer)
	})
	c.policyTypes(spec.Child("policyTypes"), p.Spec.PolicyTypes)
	return c.Errs
}

func (c *checker) policyTypes(path *field.Path, types []networkingv1.PolicyType) {
	if len(types) > len(policyTypes) {
		c.Add(field.Invalid(path, types, "may not specify more than two policyTypes"))
		return
	}
	for i, t := range types {
		if !slices.Contains(policyTypes, t) {
			c.Add(field.NotSupported(path.Index(i), t, policyTypes))
		}
	}
}

func (c *checker) networkPolicyPort(path *field.Path, p *networkingv1.NetworkPolicyPort) {
	if p.Protocol != nil {
		c.protocol(path.Child("protocol"), *p.Protocol)
	}
	port, endPort := path.Child("port"), path.Child("endPort")
	switch {
	case p.Port == nil:
		if p.EndPort != nil {
			c.Add(field.Invalid(endPort, *p.EndPort, "may not be specified when `port` is not specified"))
		}
	case p.Port.Type == intstr.Int:
		c.portNumber(port, p.Port.IntVal)
		if p.EndPort == nil {
			return
		}
		if *p.EndPort < p.Port.IntVal {
			c.Add(field.Invalid(endPort, *p.EndPort, "must be greater than or equal to `port`"))
		}
		c.portNumber(endPort, *p.EndPort)
	default:
		if p.EndPort != nil {
			c.Add(field.Invalid(endPort, *p.EndPort, "may not be specified when `port` is non-numeric"))
		}
		for _, message := range validation.IsValidPortName(p.Port.StrVal) {
			c.Add(field.Invalid(port, p.Port.StrVal, message))
		}
	}
}

func (c *checker) portNumber(path *field.Path, number int32) {
	for _, message := range validation.IsValidPortNum(int(number)) {
		c.Add(field.Invalid(path, number, message))
	}
}

func (c *checker) protocol(path *field.Path, p corev1.Protocol) {
	if !slices.Contains(protocols, p) {
		c.Add(field.NotSupported(path, p, protocols))
	}
}

func (c *checker) networkPolicyPeer(path *field.Path, p *networkingv1.NetworkPolicyPeer) {
	c.selector(path.Child("podSelector"), p.PodSelector)
	c.selector(path.Child("namespaceSelector"), p.NamespaceSelector)
	if p.IPBlock != nil {
		c.ipBlock(path.Child("ipBlock"), p.IPBlock)
	}
	selects := p.PodSelector != nil || p.NamespaceSelector != nil
	switch {
	case !selects && p.IPBlock == nil:
		c.Add(field.Required(path, "must specify a peer"))
	case selects && p.IPBlock != nil:
		c.Add(field.Forbidden(path, "may not specify both ipBlock and another peer"))
	}
}

func (c *checker) ipBlock(path *field.Path, b *networkingv1.IPBlock) {
	if b.CIDR == "" {
		c.Add(field.Required(path.Child("cidr"), ""))
		return
	}
	if !c.cidr(path.Child("cidr"), b.CIDR) {
		return
	}
	// Both parse, as the check of each CIDR has shown.
	_, block, _ := netutils.ParseCIDRSloppy(b.CIDR)
	bits, _ := block.Mask.Size()
	each(c, path.Child("except"), b.Except, func(at *field.Path, s *string) {
		if !c.cidr(at, *s) {
			return
		}
		_, except, _ := netutils.ParseCIDRSloppy(*s)
		if exceptBits, _ := except.Mask.Size(); !block.Contains(except.IP) || bits >= exceptBits {
			c.Add(field.Invalid(at, *s, "must be a strict subset of `cidr`"))
		}
	})
}

// cidr checks a CIDR with the rules of Kubernetes before v1.36, see the package
// comment.
func (c *checker) cidr(path *field.Path, s string) bool {
	const strict = false
	errs := validation.IsValidCIDRForLegacyField(path, s, strict, nil)
	c.AddAll(errs)
	return len(errs) == 0
}
