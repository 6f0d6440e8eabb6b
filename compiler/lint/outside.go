package lint

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// sourceRanges reports ranges that restrict no client. The compiler reports
// unreadable ones. A range of one whole family next to ranges of the other is the
// way to restrict only the other.
func (l *linter) sourceRanges(s sourced) {
	spec := &s.Object.Spec
	at := objects.Origin("Service", s).At("spec.loadBalancerSourceRanges")
	if len(spec.LoadBalancerSourceRanges) == 0 {
		return
	}
	if spec.Type != corev1.ServiceTypeLoadBalancer {
		l.diags.Add(diag.IdleSourceRange, at, fmt.Sprintf("a Service of type %s has no load-balancer address", spec.Type))
		return
	}
	families := familiesOf(spec)
	ranges := make([]netip.Prefix, len(spec.LoadBalancerSourceRanges))
	restricts := false
	for i, r := range spec.LoadBalancerSourceRanges {
		p, err := netip.ParsePrefix(r)
		ranges[i], restricts = p, restricts || err != nil || p.Bits() > 0
	}
	if !restricts {
		l.diags.Add(diag.IdleSourceRange, at, "they contain every address")
		return
	}
	for i, p := range ranges {
		if !p.IsValid() {
			continue
		}
		f, item := ir.FamilyOf(p.Addr()), at.At(fmt.Sprintf("%s[%d]", at.Path, i))
		if len(families) > 0 && !slices.Contains(families, f) {
			if p.Bits() > 0 {
				l.diags.Add(diag.IdleSourceRange, item, fmt.Sprintf("the Service has no %v address", f))
			}
			continue
		}
		if j := slices.IndexFunc(ranges, func(w netip.Prefix) bool { return w.IsValid() && w.Bits() == 0 && ir.FamilyOf(w.Addr()) == f }); j >= 0 && p.Bits() > 0 {
			l.diags.Add(diag.IdleSourceRange, item, ranges[j].String()+", in the same list, contains every address")
		}
	}
}

// familiesOf returns the families that the Service names or has addresses of;
// none if the cluster chooses them.
func familiesOf(spec *corev1.ServiceSpec) []ir.Family {
	var out []ir.Family
	for _, f := range spec.IPFamilies {
		if f == corev1.IPv6Protocol {
			out = append(out, ir.IPv6)
		} else {
			out = append(out, ir.IPv4)
		}
	}
	for _, ip := range append(slices.Clone(spec.ClusterIPs), spec.ClusterIP) {
		if a, err := netip.ParseAddr(ip); err == nil {
			out = append(out, ir.FamilyOf(a.Unmap()))
		}
	}
	return out
}

// local reports a Service with a Local policy and no endpoint on any node: every
// node drops its traffic. Missing endpoints are reported elsewhere.
func (l *linter) local(s sourced) {
	o := s.Object
	endpoints := l.endpoints[objects.NameOf(o)]
	if len(endpoints) == 0 || len(l.nodes) == 0 || o.Spec.ClusterIP == corev1.ClusterIPNone {
		return
	}
	for _, e := range endpoints {
		if e.NodeName != nil && l.nodes[*e.NodeName] {
			return
		}
	}
	outside := o.Spec.Type == corev1.ServiceTypeLoadBalancer || o.Spec.Type == corev1.ServiceTypeNodePort || len(o.Spec.ExternalIPs) > 0
	message := fmt.Sprintf("none of %d endpoints is on a node of the input", len(endpoints))
	if outside && o.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal {
		l.diags.Add(diag.LocalNowhere, objects.Origin("Service", s).At("spec.externalTrafficPolicy"), message)
	}
	if p := o.Spec.InternalTrafficPolicy; p != nil && *p == corev1.ServiceInternalTrafficPolicyLocal {
		l.diags.Add(diag.LocalNowhere, objects.Origin("Service", s).At("spec.internalTrafficPolicy"), message)
	}
}

// nodePort is a port that only one Service can have.
type nodePort struct {
	number   int32
	protocol corev1.Protocol
}

// nodePorts reports ports that two Services want. The compiler reports
// duplicate objects, of which one is left out.
func (l *linter) nodePorts() {
	type claim struct {
		by    sourced
		place int
	}
	first := make(map[nodePort]claim)
	sorted := slices.Clone(l.set.Services)
	slices.SortFunc(sorted, objects.CompareFirst[*corev1.Service])
	for _, s := range sorted {
		for i := range s.Object.Spec.Ports {
			p := nodePort{s.Object.Spec.Ports[i].NodePort, s.Object.Spec.Ports[i].Protocol}
			have, taken := first[p]
			switch {
			case p.number == 0:
			case !taken:
				first[p] = claim{s, i}
			case have.by.Object.Namespace != s.Object.Namespace || have.by.Object.Name != s.Object.Name:
				at := objects.Origin("Service", s).At(fmt.Sprintf("spec.ports[%d].nodePort", i))
				l.diags.Add(diag.NodePortClash, at, fmt.Sprintf("%d/%s is a nodePort of %s too", p.number, p.protocol, objects.Origin("Service", have.by).Object()))
			}
		}
	}
}
