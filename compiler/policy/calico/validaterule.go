package calico

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/policy/validate"
	"github.com/planec/planec/ir"
)

// sorted yields a map in the order of its keys.
func sorted(m map[string]string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

// ruleChecker checks rules of one direction of a policy.
type ruleChecker struct {
	*checker
	global  bool // the policy is of the whole cluster
	ingress bool
}

func (c ruleChecker) rule(at *field.Path, r *calicov3.Rule) {
	c.oneOf(at.Child("action"), r.Action, "Allow", "Deny", "Log", "Pass")
	if v := r.IPVersion; v != nil && *v != 4 && *v != 6 {
		c.Add(field.NotSupported(at.Child("ipVersion"), *v, []string{"4", "6"}))
	}
	c.protocol(at, "protocol", r.Protocol, r.IPVersion)
	c.protocol(at, "notProtocol", r.NotProtocol, r.IPVersion)
	c.icmp(at.Child("icmp"), r.ICMP)
	c.icmp(at.Child("notICMP"), r.NotICMP)
	if r.ICMP != nil && !isICMP(r.Protocol) {
		c.Forbidden(at.Child("icmp"), "ICMP fields require protocol to be ICMP or ICMPv6")
	}
	c.http(at, r)
	c.entity(at.Child("source"), &r.Source)
	c.entity(at.Child("destination"), &r.Destination)
	c.services(at, r)
	c.families(at, r)
	c.portsNeedProtocol(at.Child("source"), r.Protocol, &r.Source)
	c.portsNeedProtocol(at.Child("destination"), r.Protocol, &r.Destination)
}

func (c ruleChecker) protocol(at *field.Path, name string, p *intstr.IntOrString, version *int) {
	if p == nil {
		return
	}
	if _, ok := protocol(p); !ok {
		c.Invalid(at.Child(name), validate.Bounded(p.String()), "protocol name invalid: TCP, UDP, SCTP, ICMP, ICMPv6, UDPLite, or a number from 1 to 255")
	}
	switch {
	case version != nil && *version != 4 && isWritten(p, "ICMP", ir.ICMP):
		c.Invalid(at.Child("ipVersion"), *version, "protocol ICMP requires ipVersion 4")
	case version != nil && *version != 6 && isWritten(p, "ICMPv6", ir.ICMPv6):
		c.Invalid(at.Child("ipVersion"), *version, "protocol ICMPv6 requires ipVersion 6")
	}
}

func (c ruleChecker) icmp(at *field.Path, m *calicov3.ICMP) {
	if m == nil {
		return
	}
	if m.Type != nil && (*m.Type < 0 || *m.Type > 254) {
		c.Invalid(at.Child("type"), *m.Type, "should be from 0 to 254")
	}
	if m.Code != nil && (*m.Code < 0 || *m.Code > 255) {
		c.Invalid(at.Child("code"), *m.Code, "should be from 0 to 255")
	}
	if m.Code != nil && m.Type == nil {
		c.Forbidden(at, "ICMP code specified without an ICMP type")
	}
}

func (c ruleChecker) http(at *field.Path, r *calicov3.Rule) {
	if r.HTTP == nil {
		return
	}
	at = at.Child("http")
	if !c.ingress {
		c.Forbidden(at, "not allowed in egress rule")
	}
	if r.Action != "Allow" {
		c.Forbidden(at, "HTTP match is only valid on Allow rules")
	}
	if r.Protocol != nil && !isWritten(r.Protocol, "TCP", ir.TCP) {
		c.Forbidden(at, "rules with HTTP match must have protocol TCP or unset")
	}
	c.AtMost(at.Child("methods"), len(r.HTTP.Methods), maxHTTP)
	c.AtMost(at.Child("paths"), len(r.HTTP.Paths), maxHTTP)
	seen := make(map[string]bool)
	for i, m := range r.HTTP.Methods {
		c.once(at.Child("methods").Index(i), m, seen)
	}
	for i, p := range r.HTTP.Paths {
		path := p.Exact + p.Prefix
		switch where := at.Child("paths").Index(i); {
		case p.Exact != "" && p.Prefix != "":
			c.Forbidden(where, "Invalid path match. Both 'exact' and 'prefix' are set")
		case path == "":
			c.Forbidden(where, "Invalid path match. Either 'exact' or 'prefix' must be set")
		case !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "? #") || len(path) > maxSelector:
			c.Invalid(where, validate.Bounded(path), "Invalid path: it must start with / and not contain ? or #, and have 1024 characters at most")
		}
	}
}

// entity checks what is about one end alone.
func (c ruleChecker) entity(at *field.Path, e *calicov3.Entity) {
	c.selector(at.Child("selector"), e.Selector, maxSelector, false)
	c.anySelector(at.Child("notSelector"), e.NotSelector, maxSelector)
	c.selector(at.Child("namespaceSelector"), e.NamespaceSelector, maxSelector, true)
	c.nets(at.Child("nets"), e.Nets, false)
	c.nets(at.Child("notNets"), e.NotNets, true)
	c.ports(at.Child("ports"), e.Ports)
	c.ports(at.Child("notPorts"), e.NotPorts)
	if a := e.ServiceAccounts; a != nil {
		seen := make(map[string]bool)
		for i, name := range a.Names {
			where := at.Child("serviceAccounts", "names").Index(i)
			c.once(where, name, seen)
			if strings.Contains(name, "'") {
				c.Invalid(where, validate.Bounded(name), "no name of a ServiceAccount: Calico makes a selector of it, which would select others")
			}
		}
		c.anySelector(at.Child("serviceAccounts", "selector"), a.Selector, 0)
	}
	if e.Services != nil {
		c.service(at, e)
	}
}

// anySelector checks a selector in which global() is like all().
func (c ruleChecker) anySelector(at *field.Path, text string, most int) {
	c.selector(at, strings.ReplaceAll(text, "global(", "all("), most, false)
}

func (c ruleChecker) service(at *field.Path, e *calicov3.Entity) {
	services := at.Child("services")
	switch name := e.Services.Name; {
	case name == "":
		c.Add(field.Required(services.Child("name"), "services must specify a service name"))
	case !namePattern.MatchString(name) || len(name) > 253:
		c.Invalid(services.Child("name"), validate.Bounded(name), nameMessage)
	}
	if n := e.Services.Namespace; n != "" && (!namePattern.MatchString(n) || len(n) > 253) {
		c.Invalid(services.Child("namespace"), validate.Bounded(n), nameMessage)
	}
	for _, other := range []struct {
		what  string
		there bool
	}{
		{"NamespaceSelector", e.NamespaceSelector != ""},
		{"ServiceAccounts", e.ServiceAccounts != nil},
		{"Selector/NotSelector", e.Selector != "" || e.NotSelector != ""},
		{"Nets/NotNets", len(e.Nets)+len(e.NotNets) > 0},
	} {
		if other.there {
			c.Forbidden(at, fmt.Sprintf("cannot specify %s and Services on the same rule", other.what))
		}
	}
}

// services checks on which end a Service may be.
func (c ruleChecker) services(at *field.Path, r *calicov3.Rule) {
	peer, name := r.Destination.Services, "destination"
	if c.ingress {
		peer, name = r.Source.Services, "source"
	}
	switch {
	case c.ingress && r.Destination.Services != nil:
		c.Forbidden(at.Child("destination", "services"), "not allowed in ingress rule destination")
	case !c.ingress && r.Source.Services != nil:
		c.Forbidden(at.Child("source", "services"), "not allowed in egress rule source")
	}
	if c.global && peer != nil && peer.Namespace == "" {
		c.Add(field.Required(at.Child(name, "services", "namespace"), "must specify a namespace"))
	}
	if d := &r.Destination; d.Services != nil && len(d.Ports)+len(d.NotPorts) > 0 {
		c.Forbidden(at.Child("destination"), "ports and notPorts cannot be specified with services")
	}
}

func (c ruleChecker) nets(at *field.Path, nets []string, not bool) {
	if !c.AtMost(at, len(nets), maxNets) {
		return
	}
	seen := make(map[string]bool)
	for i, text := range nets {
		n, err := parseNet(text)
		switch {
		case err != nil:
			c.Invalid(at.Index(i), validate.Bounded(text), err.Error())
		case not && n.Bits() == 0:
			c.Invalid(at.Index(i), text, "catch-all CIDR in negation creates logical contradiction (matches no traffic)")
		}
		c.once(at.Index(i), text, seen)
	}
}

// families checks that all networks of a rule are of one family, and of the rule's.
func (c ruleChecker) families(at *field.Path, r *calicov3.Rule) {
	var seen ir.Family
	for _, list := range []struct {
		name string
		nets []string
	}{{"source.nets", r.Source.Nets}, {"source.notNets", r.Source.NotNets}, {"destination.nets", r.Destination.Nets}, {"destination.notNets", r.Destination.NotNets}} {
		for i, text := range list.nets {
			n, err := parseNet(text)
			if err != nil {
				continue
			}
			family := familyOfNet(n)
			where := at.Child(list.name).Index(i)
			if r.IPVersion != nil && *r.IPVersion != int(family) {
				c.Invalid(where, text, "rule IP version doesn't match CIDR version")
			}
			if seen != 0 && seen != family {
				c.Invalid(where, text, "rule contains both IPv4 and IPv6 CIDRs")
				return
			}
			seen = family
		}
	}
}

func (c ruleChecker) ports(at *field.Path, ports []intstr.IntOrString) {
	if !c.AtMost(at, len(ports), maxPorts) {
		return
	}
	for i := range ports {
		if _, err := parsePort(&ports[i]); err != nil {
			c.Invalid(at.Index(i), validate.Bounded(ports[i].String()), err.Error())
		}
	}
}

// portsNeedProtocol checks that a rule with ports has a protocol with ports; a name has
// a protocol of its own.
func (c ruleChecker) portsNeedProtocol(at *field.Path, p *intstr.IntOrString, e *calicov3.Entity) {
	var with ir.Protocol
	if p != nil {
		with, _ = protocol(p)
	}
	for _, list := range []struct {
		name  string
		ports []intstr.IntOrString
	}{{"ports", e.Ports}, {"notPorts", e.NotPorts}} {
		switch {
		case p != nil && len(list.ports) > 0 && !hasPorts(with):
			c.Forbidden(at.Child(list.name), "rules that specify ports must set protocol to TCP or UDP or SCTP")
		case p == nil && slices.ContainsFunc(list.ports, isNumber):
			c.Forbidden(at.Child(list.name), "rules with numeric port or port range must set protocol to TCP or UDP or SCTP")
		}
	}
}

func isNumber(p intstr.IntOrString) bool {
	read, err := parsePort(&p)
	return err == nil && read.name == ""
}
