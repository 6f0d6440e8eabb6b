package service

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/mcs"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// beside returns which of two stays where an import has the name of a Service, by
// [objects.ImportName], or the import alone.
//
// Many implementations derive a Service of an import, whose ClusterIP is the import's
// address. So Services go first, in every way: an address that is the ClusterIP of any
// Service, served by planec or not, or that a Service lists, is never an import's, on no port. An import that names its derived Service is left to it, whether that
// is there already or not.
func (a *analysis) beside(s, imported *service) *service {
	if s == nil {
		return imported
	}
	a.diags.Add(diag.BadImport, imported.origin, fmt.Sprintf("Service %v has the name that the import has among Services", imported.name))
	return s
}

// imported returns nil for an import without an address that planec serves.
func (a *analysis) imported(src objects.Sourced[*mcs.ServiceImport]) *service {
	obj, diags := src.Object, &a.diags
	s := &service{
		name: objects.ImportName(objects.NameOf(obj)), origin: objects.Origin(mcs.KindServiceImport, src), imported: true,
		object: &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: obj.Namespace, Name: obj.Name, CreationTimestamp: obj.CreationTimestamp},
			Spec: corev1.ServiceSpec{
				SessionAffinity: obj.Spec.SessionAffinity, SessionAffinityConfig: obj.Spec.SessionAffinityConfig,
				InternalTrafficPolicy: obj.Spec.InternalTrafficPolicy,
			},
		},
	}
	switch obj.Spec.Type {
	case mcs.Headless:
		return nil
	case mcs.ClusterSetIP:
	default:
		diags.Add(diag.BadImport, s.origin.At("spec.type"), fmt.Sprintf("type %q is neither %s nor %s", clip(obj.Spec.Type), mcs.ClusterSetIP, mcs.Headless))
		return nil
	}
	if obj.Annotations[mcs.DerivedService] != "" || !s.readImportIPs(obj.Spec.IPs, a.settings, diags) || !s.readPolicies(diags) {
		return nil
	}
	for _, p := range obj.Spec.Ports {
		s.object.Spec.Ports = append(s.object.Spec.Ports, corev1.ServicePort{Name: p.Name, Protocol: p.Protocol, Port: p.Port})
	}
	s.readAffinity(diags)
	a.ports(s)
	s.boundFrontends(diags)
	return s
}

// readImportIPs reports whether there are any to serve. Those outside of the networks of
// imports are not served: the author of an import could otherwise take any address of the world.
func (s *service) readImportIPs(ips []string, settings Settings, diags *diag.List) bool {
	for i, v := range ips {
		at := s.origin.At(fmt.Sprintf("spec.ips[%d]", i))
		addr, ok := readVIP(v, checkEndpointAddr, at, diag.BadImport, diags)
		switch {
		case !ok:
		case !ir.ContainsAddr(settings.ImportCIDRs, addr):
			diags.Add(diag.UnservedImport, at, fmt.Sprintf("%v is not served: no network of the setting serviceImportCIDR has it", addr))
		case s.serves(ir.FamilyOf(addr)):
			diags.Add(diag.BadImport, at, fmt.Sprintf("%v is a second address of its family", addr))
		default:
			s.clusterIPs = append(s.clusterIPs, addr)
		}
	}
	s.importIPs = slices.Clone(s.clusterIPs)
	return len(s.clusterIPs) > 0
}

// reserve returns a Service that has no rules but ClusterIPs, which no import may have; or nil.
func reserve(src objects.Sourced[*corev1.Service]) *service {
	spec := &src.Object.Spec
	s := &service{name: objects.NameOf(src.Object), object: src.Object, origin: objects.Origin("Service", src), reserved: true}
	for _, v := range append([]string{spec.ClusterIP}, spec.ClusterIPs...) {
		if addr, err := parseAddr(v); err == nil && !slices.Contains(s.clusterIPs, addr) {
			s.clusterIPs = append(s.clusterIPs, addr)
		}
	}
	if len(s.clusterIPs) == 0 {
		return nil
	}
	return s
}

// claimImports claims for all imports, after all Services.
func (c *claims) claimImports(ordered []*service) {
	for _, s := range ordered {
		if s.imported {
			continue
		}
		for _, a := range slices.Concat(s.clusterIPs, s.listed()) {
			if c.taken[a] == nil {
				c.taken[a] = s
			}
		}
	}
	for _, s := range ordered {
		if s.imported {
			c.claimImport(s)
		}
	}
}

// claimImport claims the addresses of an import that no Service and no import before it has.
func (c *claims) claimImport(s *service) {
	kept := s.clusterIPs[:0]
	for i, a := range s.importIPs {
		owner := c.taken[a]
		switch {
		case owner == nil:
			c.taken[a] = s
			kept = append(kept, a)
		case !derivedOf(owner, s):
			c.diags.Add(diag.ClaimedFrontend, s.origin.At(fmt.Sprintf("spec.ips[%d]", i)), fmt.Sprintf("%v belongs to %s, on every port", a, owner.origin.Object()))
		}
		for j := range s.ports {
			s.wants = append(s.wants, matchOf(&s.ports[j], a))
		}
	}
	s.clusterIPs = kept
	for i := range s.ports {
		for _, a := range kept {
			c.claim(s, &s.ports[i], ir.ClusterIP, matchOf(&s.ports[i], a))
		}
	}
}

// derivedOf reports whether an implementation has derived the Service of the import.
func derivedOf(service, imported *service) bool {
	return !service.imported && service.name.Namespace == imported.name.Namespace && service.object.Labels[mcs.LabelServiceName] == imported.origin.Name
}
