package cilium

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
)

// services finds Services and their endpoints.
type services struct {
	all    []*corev1.Service // sorted by namespace and name
	slices map[objects.Name][]*discoveryv1.EndpointSlice
}

func newServices(set *objects.Set) *services {
	s := &services{slices: make(map[objects.Name][]*discoveryv1.EndpointSlice)}
	for _, src := range set.Services {
		s.all = append(s.all, src.Object)
	}
	slices.SortStableFunc(s.all, func(a, b *corev1.Service) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	for _, src := range set.EndpointSlices {
		name := objects.ServiceOf(src.Object)
		s.slices[name] = append(s.slices[name], src.Object)
	}
	return s
}

// addresses returns the addresses of a Service's endpoints, sorted.
func (s *services) addresses(name objects.Name) []netip.Addr {
	var out []netip.Addr
	for _, slice := range s.slices[name] {
		for _, e := range slice.Endpoints {
			for _, text := range e.Addresses {
				if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
					out = append(out, a.Unmap())
				}
			}
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// serviceLabels are the labels of a Service; sources do not count
// (pkg/policy/k8s/service.go, labelsMatcher).
type serviceLabels map[string]string

func (l serviceLabels) lookup(_, key string) (string, bool) {
	value, there := l[key]
	return value, there
}

// selected returns the Services that an entry of toServices means
// (pkg/policy/k8s/service.go).
func (s *services) selected(from *ciliumv2.Service) []*corev1.Service {
	var out []*corev1.Service
	matches := func(*corev1.Service) bool { return false }
	switch sel, ref := from.K8sServiceSelector, from.K8sService; {
	case sel != nil:
		by := newSelector(&sel.Selector)
		matches = func(v *corev1.Service) bool {
			return (sel.Namespace == "" || sel.Namespace == v.Namespace) && by.matches(serviceLabels(v.Labels))
		}
	case ref != nil:
		matches = func(v *corev1.Service) bool {
			return (ref.Namespace == "" || ref.Namespace == v.Namespace) && ref.ServiceName == v.Name
		}
	}
	for _, v := range s.all {
		if matches(v) {
			out = append(out, v)
		}
	}
	return out
}

// addService adds the endpoints of Services: what their selectors select, or their
// addresses outside of the cluster. It reports whether there are any.
func (p *peers) addService(w *world, from *ciliumv2.Service) bool {
	found := false
	for _, v := range w.services.selected(from) {
		if len(v.Spec.Selector) > 0 {
			s := equal(sourceK8s, labelNamespace, v.Namespace).with(requirement{sourceK8s, labelCluster, opIn, []string{w.options.clusterName}})
			for key, value := range v.Spec.Selector {
				source, name := parseKey(key)
				if source == sourceAny {
					source = sourceK8s
				}
				s = append(s, requirement{source, name, opIn, []string{value}})
			}
			p.selectors = append(p.selectors, s.sorted())
			found = true
			continue
		}
		for _, a := range w.services.addresses(objects.NameOf(v)) {
			p.networks = append(p.networks, network{in: []netip.Prefix{netip.PrefixFrom(a, a.BitLen())}, text: a.String()})
			found = true
		}
	}
	return found
}
