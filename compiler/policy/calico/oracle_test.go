package calico_test

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/policy/calico/selector"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// oracle judges packets one by one, as Calico's agent reads its policies: selectors are
// put together as texts, members of sets are looked up by address, and nothing is
// prepared. It shares the selector language with what it tests, and nothing else.
type oracle struct {
	set       *objects.Set
	endpoints []oracleEndpoint
}

// oracleEndpoint is a pod or a network set.
type oracleEndpoint struct {
	labels selector.Map
	nets   []netip.Prefix
	pod    *corev1.Pod
}

func newOracle(set *objects.Set) *oracle {
	o := &oracle{set: set}
	inherit := func(into selector.Map, namespace string) {
		for _, n := range set.Namespaces {
			if n.Object.Name != namespace {
				continue
			}
			for k, v := range n.Object.Labels {
				into["pcns."+k] = v
			}
			into["pcns.projectcalico.org/name"] = namespace
		}
	}
	for _, p := range set.Pods {
		e := oracleEndpoint{labels: selector.Map{}, pod: p.Object}
		for k, v := range p.Object.Labels {
			if !strings.HasPrefix(k, "pcns.") && !strings.HasPrefix(k, "pcsa.") {
				e.labels[k] = v
			}
		}
		e.labels["projectcalico.org/namespace"], e.labels["projectcalico.org/orchestrator"] = p.Object.Namespace, "k8s"
		inherit(e.labels, p.Object.Namespace)
		if account := p.Object.Spec.ServiceAccountName; account != "" {
			e.labels["projectcalico.org/serviceaccount"], e.labels["pcsa.projectcalico.org/name"] = account, account
			for _, a := range set.ServiceAccounts {
				if a.Object.Name == account && a.Object.Namespace == p.Object.Namespace {
					for k, v := range a.Object.Labels {
						e.labels["pcsa."+k] = v
					}
				}
			}
		}
		for _, ip := range p.Object.Status.PodIPs {
			a := netip.MustParseAddr(ip.IP)
			e.nets = append(e.nets, netip.PrefixFrom(a, a.BitLen()))
		}
		o.endpoints = append(o.endpoints, e)
	}
	for _, s := range set.CalicoNetworkSets {
		e := oracleEndpoint{labels: selector.Map{}}
		inherit(e.labels, s.Object.Namespace)
		for k, v := range s.Object.Labels {
			e.labels[k] = v
		}
		e.labels["projectcalico.org/namespace"] = s.Object.Namespace
		o.endpoints = append(o.endpoints, e.with(s.Object.Spec.Nets))
	}
	for _, s := range set.CalicoGlobalNetworkSets {
		o.endpoints = append(o.endpoints, oracleEndpoint{labels: s.Object.Labels}.with(s.Object.Spec.Nets))
	}
	return o
}

func (e oracleEndpoint) with(nets []string) oracleEndpoint {
	for _, n := range nets {
		e.nets = append(e.nets, netip.MustParsePrefix(n).Masked())
	}
	return e
}

func mustParse(text string) *selector.Selector {
	s, err := selector.Parse(text)
	if err != nil {
		panic(fmt.Sprintf("%q: %v", text, err))
	}
	return s
}

// prefixed is parseSelectorAttachPrefix.
func prefixed(text, prefix string) string { return mustParse(text).Prefixed(prefix).String() }

// has reports whether an address is one of a selector's members.
func (o *oracle) has(text string, a netip.Addr) bool {
	s := mustParse(text)
	for _, e := range o.endpoints {
		if ir.ContainsAddr(e.nets, a) && s.Matches(e.labels) {
			return true
		}
	}
	return false
}

// hasPort reports whether address, protocol and port are those of a named port.
func (o *oracle) hasPort(text, name string, a netip.Addr, rule ir.Protocol, q ir.Protocol, number uint16) bool {
	s := mustParse(text)
	for _, e := range o.endpoints {
		if e.pod == nil || !ir.ContainsAddr(e.nets, a) || !s.Matches(e.labels) {
			continue
		}
		for _, c := range slices.Concat(e.pod.Spec.Containers, e.pod.Spec.InitContainers) {
			for _, p := range c.Ports {
				proto, err := ir.ParseProtocol(string(p.Protocol))
				if err == nil && p.Name == name && (rule == 0 || rule == proto) && proto == q && uint16(p.ContainerPort) == number {
					return true
				}
			}
		}
	}
	return false
}

// oracleSelector is getEndpointSelector.
func oracleSelector(e *calicov3.Entity, ns string) string {
	where := ""
	if e.NamespaceSelector != "" {
		where = prefixed(e.NamespaceSelector, "pcns.")
		where = strings.ReplaceAll(where, "all()", "has(projectcalico.org/namespace)")
		where = strings.ReplaceAll(where, "global()", "!has(projectcalico.org/namespace)")
	} else if ns != "" {
		where = "projectcalico.org/namespace == '" + ns + "'"
	}
	var who []string
	if a := e.ServiceAccounts; a != nil {
		if a.Selector != "" {
			who = append(who, prefixed(a.Selector, "pcsa."))
		}
		if len(a.Names) > 0 {
			who = append(who, "projectcalico.org/serviceaccount in { '"+strings.Join(a.Names, "', '")+"' }")
		}
	}
	if e.Selector != "" {
		who = append(who, e.Selector)
	}
	text := ""
	if len(who) > 0 {
		text = "(" + strings.Join(who, ") && (") + ")"
	}
	if where != "" && (text != "" || e.NotSelector != "" || e.NamespaceSelector != "") {
		if text != "" {
			text = " && (" + text + ")"
		}
		text = "(" + where + ")" + text
	}
	return text
}

func netsHave(nets []string, a netip.Addr) bool {
	return slices.ContainsFunc(nets, func(n string) bool { return netip.MustParsePrefix(n).Contains(a) })
}

// otherFamily reports that there are networks, and all are of another family.
func otherFamily(nets []string, a netip.Addr) bool {
	return len(nets) > 0 && !slices.ContainsFunc(nets, func(n string) bool { return ir.FamilyOf(netip.MustParsePrefix(n).Addr()) == ir.FamilyOf(a) })
}

// entity matches one end.
func (o *oracle) entity(e *calicov3.Entity, ns string, a netip.Addr, rule ir.Protocol, q ir.Protocol, number uint16, destination bool) bool {
	positive, not := oracleSelector(e, ns), e.NotSelector
	if positive != "" && not != "" {
		positive, not = "("+positive+") && (!("+not+"))", ""
	}
	var numeric, namedPorts, notNamed []string
	for _, p := range e.Ports {
		if isName(&p) {
			namedPorts = append(namedPorts, p.StrVal)
		} else {
			numeric = append(numeric, p.String())
		}
	}
	members := positive
	if members == "" {
		members = "all()"
	}
	if len(e.Ports) > 0 {
		listed := q == rule && slices.ContainsFunc(numeric, func(p string) bool { return inRange(p, number) })
		listed = listed || slices.ContainsFunc(namedPorts, func(n string) bool { return o.hasPort(members, n, a, rule, q, number) })
		if !listed {
			return false
		}
	}
	for _, p := range e.NotPorts {
		if isName(&p) {
			notNamed = append(notNamed, p.StrVal)
		} else if q == rule && inRange(p.String(), number) {
			return false
		}
	}
	switch {
	case slices.ContainsFunc(notNamed, func(n string) bool { return o.hasPort(members, n, a, rule, q, number) }):
	case positive != "" && (len(numeric) > 0 || len(namedPorts) == 0) && !o.has(positive, a):
	case not != "" && o.has(not, a):
	case len(e.Nets) > 0 && !netsHave(e.Nets, a), netsHave(e.NotNets, a):
	case e.Services != nil && !o.inService(e.Services, a, q, number, destination):
	default:
		return true
	}
	return false
}

func (o *oracle) inService(s *calicov3.Service, a netip.Addr, q ir.Protocol, number uint16, ports bool) bool {
	for _, slice := range o.set.EndpointSlices {
		if slice.Object.Namespace != s.Namespace || slice.Object.Labels["kubernetes.io/service-name"] != s.Name {
			continue
		}
		for _, e := range slice.Object.Endpoints {
			if !slices.Contains(e.Addresses, a.String()) {
				continue
			}
			for _, p := range slice.Object.Ports {
				if proto, _ := ir.ParseProtocol(string(*p.Protocol)); ports && proto == q && uint16(*p.Port) == number {
					return true
				}
			}
			if !ports {
				return true
			}
		}
	}
	return false
}

func isName(p *intstr.IntOrString) bool {
	return p.Type == intstr.String && strings.Trim(p.StrVal, "0123456789:") != ""
}

func inRange(text string, number uint16) bool {
	first, last, isRange := strings.Cut(text, ":")
	if !isRange {
		last = first
	}
	low, _ := strconv.Atoi(first)
	high, _ := strconv.Atoi(last)
	return low <= int(number) && int(number) <= high
}

var oracleNumbers = map[string]ir.Protocol{"TCP": 6, "UDP": 17, "SCTP": 132, "ICMP": 1, "ICMPv6": 58, "UDPLite": 136}

func oracleProtocol(p *intstr.IntOrString) ir.Protocol {
	if known, named := oracleNumbers[p.String()]; named {
		return known
	}
	n, _ := strconv.Atoi(p.String())
	return ir.Protocol(n)
}

// rule matches a packet.
func (o *oracle) rule(r *calicov3.Rule, ns string, src, dst netip.Addr, q eval.Transport) bool {
	family := 4
	if src.Is6() {
		family = 6
	}
	if r.IPVersion != nil && *r.IPVersion != family {
		return false
	}
	if r.IPVersion == nil && r.Protocol != nil && (r.Protocol.StrVal == "ICMP" && family == 6 || r.Protocol.StrVal == "ICMPv6" && family == 4) {
		return false
	}
	for _, nets := range [][]string{r.Source.Nets, r.Source.NotNets, r.Destination.Nets, r.Destination.NotNets} {
		if otherFamily(nets, src) {
			return false
		}
	}
	proto := ir.Protocol(0)
	if r.Protocol != nil {
		if proto = oracleProtocol(r.Protocol); proto != q.Protocol {
			return false
		}
	}
	if r.NotProtocol != nil && oracleProtocol(r.NotProtocol) == q.Protocol {
		return false
	}
	icmp := func(m *calicov3.ICMP) bool {
		return q.Protocol.HasTypes() && int(q.Port>>8) == *m.Type && (m.Code == nil || int(q.Port&0xff) == *m.Code)
	}
	if r.ICMP != nil && r.ICMP.Type != nil && !icmp(r.ICMP) || r.NotICMP != nil && r.NotICMP.Type != nil && icmp(r.NotICMP) {
		return false
	}
	port := q.Port
	if !q.Protocol.HasPorts() {
		port = 0
	}
	return o.entity(&r.Source, ns, src, proto, q.Protocol, q.SourcePort, false) && o.entity(&r.Destination, ns, dst, proto, q.Protocol, port, true)
}

// oraclePolicy is a policy with its place.
type oraclePolicy struct {
	tier, tie string
	order     float64
	ns        string
	spec      *calicov3.PolicySpec
	subject   string
}

func (o *oracle) policies() []oraclePolicy {
	var out []oraclePolicy
	add := func(s *calicov3.PolicySpec, ns, name, kind, subject string) {
		p := oraclePolicy{tier: cmp.Or(s.Tier, "default"), tie: name + "/" + ns + "/" + kind, order: math.Inf(1), ns: ns, spec: s, subject: subject}
		if s.Order != nil {
			p.order = *s.Order
		}
		out = append(out, p)
	}
	join := func(have, more string) string {
		if have == "" {
			return more
		}
		return "(" + have + ") && " + more
	}
	for _, p := range o.set.CalicoNetworkPolicies {
		s := &p.Object.Spec
		subject := join(s.Selector, "projectcalico.org/namespace == '"+p.Object.Namespace+"'")
		if s.ServiceAccountSelector != "" {
			subject = join(subject, prefixed(s.ServiceAccountSelector, "pcsa."))
		}
		add(s, p.Object.Namespace, p.Object.Name, "NetworkPolicy", subject)
	}
	for _, p := range o.set.CalicoGlobalNetworkPolicies {
		s := &p.Object.Spec
		subject := s.Selector
		if s.NamespaceSelector != "" {
			subject = strings.ReplaceAll(join(subject, prefixed(s.NamespaceSelector, "pcns.")), "all()", "has(projectcalico.org/namespace)")
		}
		if s.ServiceAccountSelector != "" {
			subject = strings.ReplaceAll(join(subject, prefixed(s.ServiceAccountSelector, "pcsa.")), "all()", "has(projectcalico.org/serviceaccount)")
		}
		if !s.PreDNAT && !s.DoNotTrack {
			add(&s.PolicySpec, "", p.Object.Name, "GlobalNetworkPolicy", subject)
		}
	}
	slices.SortFunc(out, func(a, b oraclePolicy) int { return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.tie, b.tie)) })
	return out
}

// tierNames are the tiers in their order, with those that pass in the end.
func (o *oracle) tierNames() (names []string, passes map[string]bool) {
	orders := map[string]float64{"kube-admin": 1_000, "default": 1_000_000, "kube-baseline": 10_000_000}
	passes = map[string]bool{"kube-admin": true, "kube-baseline": true}
	for _, t := range o.set.CalicoTiers {
		orders[t.Object.Name], passes[t.Object.Name] = math.Inf(1), t.Object.Spec.DefaultAction == "Pass"
		if t.Object.Spec.Order != nil {
			orders[t.Object.Name] = *t.Object.Spec.Order
		}
	}
	for name := range orders {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(orders[a], orders[b]), cmp.Compare(a, b)) })
	return names, passes
}

// allows judges one direction of a pod.
func (o *oracle) allows(d ir.Direction, pod *corev1.Pod, src, dst netip.Addr, q eval.Transport) bool {
	var labels selector.Map
	for _, e := range o.endpoints {
		if e.pod == pod {
			labels = e.labels
		}
	}
	names, passes := o.tierNames()
	for _, tier := range names {
		selected, action := false, ""
		for _, p := range o.policies() {
			kind, rules := "Ingress", p.spec.Ingress
			if d == ir.Egress {
				kind, rules = "Egress", p.spec.Egress
			}
			if p.tier != tier || !slices.Contains(p.spec.Types, kind) || !mustParse(p.subject).Matches(labels) {
				continue
			}
			selected = true
			for i := range rules {
				if action == "" && rules[i].Action != "Log" && o.rule(&rules[i], p.ns, src, dst, q) {
					action = rules[i].Action
				}
			}
		}
		switch {
		case action == "Allow":
			return true
		case action == "Deny", selected && action == "" && !passes[tier]:
			return false
		}
	}
	return true
}
