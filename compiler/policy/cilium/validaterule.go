package cilium

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/policy/validate"
	"github.com/planec/planec/ir"
)

// The bounds of the CRDs and of pkg/policy/api/rule_validation.go.
const (
	maxPorts     = 40
	maxICMP      = 40
	maxName      = 255
	maxGroupName = 253
)

var (
	domainName    = regexp.MustCompile(`^([-a-zA-Z0-9_]+[.]?)+$`)
	domainPattern = regexp.MustCompile(`^([-a-zA-Z0-9_*]+[.]?)+$`)
	groupName     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	portPattern   = regexp.MustCompile(`^(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4})|([a-zA-Z0-9]-?)*[a-zA-Z](-?[a-zA-Z0-9])*$`)
)

// ruleChecker checks one rule.
type ruleChecker struct {
	*checker
	*view
	cluster bool // the policy is of the whole cluster
	host    bool // it is about nodes
}

func (c ruleChecker) rule(at *field.Path) {
	c.combined(at)
	c.peers(at)
	if len(c.icmps) > 0 && !c.options.icmp {
		c.Forbidden(at.Child("icmps"), `ICMP rules can only be applied when the "enable-icmp-rules" flag is set`)
	}
	if len(c.icmps) > 0 && len(c.ports) > 0 {
		c.Forbidden(at.Child("icmps"), "the ICMPs block may only be present without ToPorts. Define a separate rule to use ToPorts")
	}
	if c.auth != nil {
		c.OneOf(at.Child("authentication", "mode"), c.auth.Mode, authDisabled, authRequired, authFail)
	}
	c.layer7(at)
	for i := range c.ports {
		c.portRule(at.Child("toPorts").Index(i), &c.ports[i])
	}
	for i := range c.icmps {
		where := at.Child("icmps").Index(i).Child("fields")
		c.AtMost(where, len(c.icmps[i].Fields), maxICMP)
		for j := range c.icmps[i].Fields {
			c.icmpField(where.Index(j), &c.icmps[i].Fields[j])
		}
	}
}

// combined checks that the rule has one kind of peers.
func (c ruleChecker) combined(at *field.Path) {
	var kinds []string
	for _, list := range []struct {
		name  string
		items int
	}{
		{"Endpoints", len(c.endpoints)},
		{"CIDR", len(c.cidrs)},
		{"CIDRSet", len(c.cidrSets)},
		{"Entities", len(c.entities)},
		{"Nodes", len(c.nodes)},
		{"Groups", len(c.groups)},
		{"Services", len(c.services)},
		{"FQDNs", len(c.domains)},
	} {
		if list.items > 0 {
			kinds = append(kinds, c.field(list.name))
		}
	}
	if len(kinds) > 1 {
		c.Forbidden(at, fmt.Sprintf("combining %s and %s is not supported yet", kinds[0], kinds[1]))
	}
	c.AtMost(at.Child(c.field("Requires")), len(c.requires), 0)
	if len(c.nodes) > 0 && !c.options.nodeLabels {
		c.Forbidden(at.Child(c.field("Nodes")), `FromNodes/ToNodes rules can only be applied when the "enable-node-selector-labels" flag is set`)
	}
}

func (c ruleChecker) peers(at *field.Path) {
	for i := range c.endpoints {
		c.selector(at.Child(c.field("Endpoints")).Index(i), &c.endpoints[i])
	}
	for i := range c.nodes {
		c.selector(at.Child(c.field("Nodes")).Index(i), &c.nodes[i])
	}
	for i, text := range c.cidrs {
		c.cidr(at.Child(c.field("CIDR")).Index(i), text)
	}
	for i := range c.cidrSets {
		c.cidrSet(at.Child(c.field("CIDRSet")).Index(i), &c.cidrSets[i])
	}
	for i, name := range c.entities {
		c.OneOf(at.Child(c.field("Entities")).Index(i), name, entityNames...)
	}
	for i := range c.domains {
		c.domain(at.Child("toFQDNs").Index(i), &c.domains[i])
	}
	for i := range c.services {
		if s := c.services[i].K8sServiceSelector; s != nil {
			c.selector(at.Child("toServices").Index(i).Child("k8sServiceSelector", "selector"), &s.Selector)
		}
	}
}

func (c ruleChecker) cidrSet(at *field.Path, r *ciliumv2.CIDRRule) {
	given := 0
	for _, there := range []bool{r.CIDR != "", r.CIDRGroupRef != "", r.CIDRGroupSelector != nil} {
		if there {
			given++
		}
	}
	if given != 1 {
		c.Invalid(at, "", fmt.Sprintf("must have exactly one of cidr, cidrGroupRef and cidrGroupSelector, and has %d", given))
	}
	if r.CIDRGroupRef != "" && (len(r.CIDRGroupRef) > maxGroupName || !groupName.MatchString(r.CIDRGroupRef)) {
		c.Invalid(at.Child("cidrGroupRef"), validate.Bounded(r.CIDRGroupRef), "should be the name of a CiliumCIDRGroup")
	}
	c.selector(at.Child("cidrGroupSelector"), r.CIDRGroupSelector)
	if r.CIDR != "" && !c.cidr(at.Child("cidr"), r.CIDR) {
		return
	}
	in, _ := parseCIDR(r.CIDR)
	for i, text := range r.Except {
		where := at.Child("except").Index(i)
		if !c.cidr(where, text) || r.CIDR == "" {
			continue
		}
		if e, _ := parseCIDR(text); in.Bits() > e.Bits() || !in.Contains(e.Addr()) {
			c.Invalid(where, text, fmt.Sprintf("allow CIDR prefix %s does not contain exclude CIDR prefix %s", r.CIDR, text))
		}
	}
}

// domain checks a DNS name or a pattern: one of the two.
func (c ruleChecker) domain(at *field.Path, d *ciliumv2.FQDN) {
	switch {
	case (d.MatchName == "") == (d.MatchPattern == ""):
		c.Invalid(at, "", "must have exactly one of matchName and matchPattern")
	case len(d.MatchName) > maxName || len(d.MatchPattern) > maxName:
		c.Add(field.TooLong(at, "", maxName))
	case d.MatchName != "" && !domainName.MatchString(d.MatchName):
		c.Invalid(at.Child("matchName"), d.MatchName, "only 0-9, a-z, A-Z and ., -, _ characters are allowed")
	case d.MatchPattern != "" && !domainPattern.MatchString(d.MatchPattern):
		c.Invalid(at.Child("matchPattern"), d.MatchPattern, "only 0-9, a-z, A-Z and ., -, _ and * characters are allowed")
	}
}

func (c ruleChecker) icmpField(at *field.Path, f *ciliumv2.ICMPField) {
	if f.Family != "" {
		c.OneOf(at.Child("family"), f.Family, familyIPv4, familyIPv6)
	}
	if f.Type == nil {
		c.Required(at.Child("type"), "")
		return
	}
	if _, _, ok := icmpType(f); !ok {
		family := f.Family
		if family == "" {
			family = familyIPv4
		}
		c.Invalid(at.Child("type"), validate.Bounded(f.Type.String()), fmt.Sprintf("ICMP type %s not found in %s", validate.Bounded(f.Type.String()), family))
	}
}

// layer7 checks what the rule asks of a proxy as a whole.
func (c ruleChecker) layer7(at *field.Path) {
	http, dns := 0, 0
	for i := range c.ports {
		if r := c.ports[i].Rules; r != nil {
			http, dns = http+len(r.HTTP), dns+len(r.DNS)
		}
	}
	ingress := c.direction == ir.Ingress
	at = at.Child("toPorts")
	switch {
	case http+dns == 0:
	case c.host && ingress:
		c.Forbidden(at, "L7 policy is not supported on host ingress yet")
	case !c.options.l7:
		c.Forbidden(at, "L7 policy is not supported since L7 proxy is not enabled")
	case dns > 0 && ingress:
		c.Forbidden(at, "L7 protocol DNS is not supported on ingress yet")
	case http > 0 && c.host:
		c.Forbidden(at, "L7 protocol HTTP is not supported on host egress yet")
	}
}

// portRule checks an item of toPorts.
func (c ruleChecker) portRule(at *field.Path, p *ciliumv2.PortRule) {
	c.AtMost(at.Child("ports"), len(p.Ports), maxPorts)
	layer7 := p.Rules != nil && len(p.Rules.HTTP)+len(p.Rules.DNS) > 0
	dns := p.Rules != nil && len(p.Rules.DNS) > 0
	for i := range p.Ports {
		where := at.Child("ports").Index(i)
		zero := c.port(where, &p.Ports[i], dns)
		switch {
		case !layer7:
		case !dns && p.Ports[i].Protocol != "TCP":
			c.Invalid(where.Child("protocol"), validate.Bounded(p.Ports[i].Protocol), "L7 rules can only apply to TCP, except for DNS rules")
		case zero:
			c.Invalid(where.Child("port"), p.Ports[i].Port, "L7 rules can not be used when a port is 0")
		}
	}
	c.tls(at, p, layer7)
	c.listener(at.Child("listener"), p.Listener, layer7)
	if p.Rules == nil {
		return
	}
	at = at.Child("rules")
	if (p.Rules.HTTP != nil) == (p.Rules.DNS != nil) {
		c.Invalid(at, "", "must have exactly one of http and dns")
	}
	if dns && len(p.Ports) == 0 {
		c.Required(at, "port 53 must be specified for DNS rules")
	}
	for i := range p.Rules.HTTP {
		c.http(at.Child("http").Index(i), &p.Rules.HTTP[i])
	}
	for i := range p.Rules.DNS {
		c.domain(at.Child("dns").Index(i), &p.Rules.DNS[i])
	}
}

// port checks one port, and reports whether it is 0.
func (c ruleChecker) port(at *field.Path, p *ciliumv2.Port, dns bool) (zero bool) {
	if p.Protocol != "" {
		c.OneOf(at.Child("protocol"), p.Protocol, "TCP", "UDP", "SCTP", "VRRP", "IGMP", "GRE", "IPIP", "IPV6", "ESP", "AH", "ANY")
	}
	if p.EndPort < 0 || p.EndPort > 65535 {
		c.Invalid(at.Child("endPort"), p.EndPort, "should be from 0 to 65535")
	}
	where := at.Child("port")
	if p.Port == "" {
		if !c.options.extendedProtocols {
			c.Required(where, "port must be specified")
		}
		return false
	}
	number, err := strconv.ParseUint(p.Port, 0, 16)
	switch {
	case !portPattern.MatchString(p.Port):
		c.Invalid(where, validate.Bounded(p.Port), "should be a number or a name of a port")
	case isName(p.Port):
	case p.Port != "0" && isExtended(p.Protocol):
		c.Invalid(where, validate.Bounded(p.Port), "port must be empty or 0")
	case err != nil:
		c.Invalid(where, validate.Bounded(p.Port), "unable to parse port: should be from 0 to 65535, or a name")
	case dns && int64(p.EndPort) > int64(number):
		c.Invalid(at.Child("endPort"), p.EndPort, "DNS rules do not support port ranges")
	default:
		return number == 0
	}
	return false
}

func (c ruleChecker) tls(at *field.Path, p *ciliumv2.PortRule, layer7 bool) {
	names := at.Child("serverNames")
	if p.ServerNames != nil && len(p.ServerNames) == 0 {
		c.Invalid(names, "[]", "should have at least 1 items")
	}
	if len(p.ServerNames) > 0 && layer7 && p.TerminatingTLS == nil {
		c.Forbidden(names, "ServerNames are not allowed with L7 rules without TLS termination")
	}
	for i, name := range p.ServerNames {
		if len(name) > maxName || !domainPattern.MatchString(name) {
			c.Invalid(names.Index(i), validate.Bounded(name), "should be a DNS name or a pattern")
		}
	}
	for i, context := range []*ciliumv2.TLS{p.TerminatingTLS, p.OriginatingTLS} {
		where := at.Child([]string{"terminatingTLS", "originatingTLS"}[i], "secret")
		if context != nil && (context.Secret == nil || context.Secret.Name == "") {
			c.Required(where, "")
		}
	}
}

func (c ruleChecker) listener(at *field.Path, l *ciliumv2.Listener, layer7 bool) {
	if l == nil {
		return
	}
	config := at.Child("envoyConfig")
	switch {
	case c.direction == ir.Ingress:
		c.Forbidden(at, fmt.Sprintf("Listener is not allowed on ingress (%s)", validate.Bounded(l.Name)))
	case layer7:
		c.Forbidden(at, fmt.Sprintf("Listener is not allowed with L7 rules (%s)", validate.Bounded(l.Name)))
	case l.Name == "":
		c.Required(at.Child("name"), "")
	case l.EnvoyConfig == nil || l.EnvoyConfig.Name == "":
		c.Required(config.Child("name"), "")
	case !slices.Contains([]string{"", "CiliumEnvoyConfig", "CiliumClusterwideEnvoyConfig"}, l.EnvoyConfig.Kind):
		c.OneOf(config.Child("kind"), l.EnvoyConfig.Kind, "CiliumEnvoyConfig", "CiliumClusterwideEnvoyConfig")
	case l.EnvoyConfig.Kind == "CiliumEnvoyConfig" && c.cluster:
		c.Forbidden(config.Child("kind"), "a Listener in a policy of the cluster can not use Kind CiliumEnvoyConfig")
	case l.Priority != nil && (*l.Priority < 1 || *l.Priority > 100):
		c.Invalid(at.Child("priority"), *l.Priority, "should be from 1 to 100")
	}
}

func (c ruleChecker) http(at *field.Path, h *ciliumv2.HTTP) {
	for i, text := range []string{h.Path, h.Method} {
		if _, err := regexp.Compile(text); err != nil {
			c.Invalid(at.Child([]string{"path", "method"}[i]), validate.Bounded(text), "no regular expression")
		}
	}
	for i, m := range h.HeaderMatches {
		where := at.Child("headerMatches").Index(i)
		switch {
		case m == nil || m.Name == "":
			c.Required(where.Child("name"), "Header name missing")
		case m.Mismatch != "":
			c.OneOf(where.Child("mismatch"), m.Mismatch, "LOG", "ADD", "DELETE", "REPLACE")
		}
		if m != nil && m.Secret != nil && m.Secret.Name == "" {
			c.Required(where.Child("secret", "name"), "Secret name missing")
		}
	}
}
