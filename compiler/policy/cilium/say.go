package cilium

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// say reports what planec decides in another way than the rule's author may expect.
func (r *reader) say(made *rule) {
	v := made.view
	r.sayPeers(made)
	r.sayProxy(made)
	r.sayPorts(made)
	if !v.hasPeers() && !v.hasPorts() {
		what := "allows nothing"
		if v.deny {
			what = "denies nothing"
		}
		r.diags.Add(diag.EmptyRule, made.origin, fmt.Sprintf("it has neither peers nor ports: it %s, and isolates all the same", what))
	}
}

func (r *reader) sayPeers(made *rule) {
	v, at := made.view, made.origin
	for i, name := range v.entities {
		if slices.Contains(unseen, name) {
			r.diags.Add(diag.UnseenEntity, at.At(fmt.Sprintf("%s.%s[%d]", at.Path, v.field("Entities"), i)), fmt.Sprintf("objects of Kubernetes do not tell who is %s: it matches nothing", name))
		}
	}
	if len(v.groups) > 0 {
		r.diags.Add(diag.CloudGroup, at.At(at.Path+"."+v.field("Groups")), "the addresses of a cloud's groups are not known: they match nothing")
	}
	for i := range v.domains {
		d := newDomain(&v.domains[i])
		if len(addresses([]domain{d}, r.world.cluster.Settings.Domains)) == 0 {
			r.diags.Add(diag.NoDomain, at.At(fmt.Sprintf("%s.toFQDNs[%d]", at.Path, i)), fmt.Sprintf("no address of %.100s is known: it matches nothing", d.text))
		}
	}
	for i := range v.services {
		if !(&peers{}).addService(r.world, &v.services[i]) {
			r.diags.Add(diag.NoService, at.At(fmt.Sprintf("%s.toServices[%d]", at.Path, i)), "no Service with endpoints is meant: it matches nothing, where Cilium without other peers would open the ports to everybody")
		}
	}
	if v.deny && len(v.services) > 0 {
		r.diags.Add(diag.OpenQuirk, at.At(at.Path+".toServices"), "it denies the Services' endpoints; Cilium does not read toServices of rules that deny")
	}
	for i := range v.cidrSets {
		if c := &v.cidrSets[i]; c.CIDR == "" && len(r.world.networkOf(c).in) == 0 {
			r.diags.Add(diag.NoCIDRGroup, at.At(fmt.Sprintf("%s.%s[%d]", at.Path, v.field("CIDRSet"), i)), "no CiliumCIDRGroup with networks is meant: it matches nothing")
		}
	}
	if empty := v.emptyQuirk(); empty != "" {
		r.diags.Add(diag.OpenQuirk, at.At(at.Path+"."+empty), "an empty list: a rule that allows opens nothing by it; to Cilium it is every peer")
	}
	for i := range v.endpoints {
		r.sayFiltered(&v.endpoints[i], at.At(fmt.Sprintf("%s.%s[%d]", at.Path, v.field("Endpoints"), i)))
	}
}

// emptyQuirk returns the name of an empty list that Cilium takes for everybody, or "".
func (v *view) emptyQuirk() string {
	switch {
	case v.deny || !v.hasPorts() || v.selectsNobody():
		return ""
	case v.domains != nil && len(v.domains) == 0:
		return "toFQDNs"
	case v.groups != nil && len(v.groups) == 0:
		return v.field("Groups")
	case v.services != nil && len(v.services) == 0:
		return "toServices"
	}
	return ""
}

func (r *reader) sayProxy(made *rule) {
	if made.deny || made.peers == nil {
		return
	}
	seen := make(map[string]bool)
	for i := range made.ports {
		if what := payload(&made.ports[i]); what != "" && !seen[what] {
			seen[what] = true
			r.diags.Add(diag.ProxyRule, made.origin.At(fmt.Sprintf("%s.toPorts[%d]", made.origin.Path, i)), fmt.Sprintf("a proxy is to look at the connections (%s), and there is none", what))
		}
	}
	if made.auth != nil && made.auth.Mode == authRequired {
		r.diags.Add(diag.ProxyRule, made.origin.At(made.origin.Path+".authentication"), "both ends are to prove who they are, and nothing asks them")
	}
}

// sayPorts reports ports that mean something else to Cilium, and names that no pod has.
func (r *reader) sayPorts(made *rule) {
	at := made.origin
	for i := range made.ports {
		for j := range made.ports[i].Ports {
			p := &made.ports[i].Ports[j]
			where := at.At(fmt.Sprintf("%s.toPorts[%d].ports[%d]", at.Path, i, j))
			switch {
			case isName(p.Port) && len(r.world.withNamedPort(strings.ToLower(p.Port))) == 0:
				r.diags.Add(diag.UnknownNamedPort, where, "no pod has a port "+p.Port)
			case isName(p.Port):
			case p.Port == "0" && p.EndPort > 0 && !made.deny:
				r.diags.Add(diag.OpenQuirk, where, fmt.Sprintf("ports 0 to %d; Cilium loses the end, and allows every port", p.EndPort))
			}
		}
	}
	for i := range made.icmps {
		for j := range made.icmps[i].Fields {
			if _, number, ok := icmpType(&made.icmps[i].Fields[j]); ok && number == 0 && !made.deny {
				r.diags.Add(diag.OpenQuirk, at.At(fmt.Sprintf("%s.icmps[%d].fields[%d]", at.Path, i, j)), "type 0 alone; Cilium allows every type by it")
			}
		}
	}
}

// sayOf reports what is to be said of a policy as a whole.
func (r *reader) sayOf(from *ciliumv2.Rule, p *policy, path string) {
	at := p.origin
	if s := from.EndpointSelector; s != nil {
		r.sayFiltered(s, at.At(path+".endpointSelector"))
		if value, there := s.MatchLabels[sourceK8s+":"+labelNamespace]; there && p.namespace != "" && value != p.namespace {
			r.diags.Add(diag.OtherNamespace, at.At(path+".endpointSelector"), fmt.Sprintf("it selects pods of %s, the policy's own namespace, and not of %s", p.namespace, value))
		}
		if has(s, sourceReserved+":"+reservedInit) {
			r.diags.Add(diag.UnseenEntity, at.At(path+".endpointSelector"), "objects of Kubernetes do not tell which pods are init: it selects none")
		}
	}
}

// sayFiltered reports labels of pods that Cilium drops.
func (r *reader) sayFiltered(from *ciliumv2.Selector, at ir.Origin) {
	for _, q := range newSelector(from) {
		if q.source != sourceK8s && q.source != sourceAny || strings.HasPrefix(q.key, prefixNamespaceLabel) || q.key == labelNamespace || q.key == labelServiceAccount || q.key == labelCluster {
			continue
		}
		if isOwned(q.key) || !r.world.options.podFilter.counts(q.key) {
			effect := "nothing has it"
			if !q.demands() {
				effect = "nothing has it, so this excludes nothing"
			}
			r.diags.Add(diag.FilteredLabel, at, fmt.Sprintf("Cilium drops the label %.100s of pods: %s", q.key, effect))
		}
	}
}
