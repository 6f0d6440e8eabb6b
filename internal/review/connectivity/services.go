package connectivity

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// target is one pod that a Service's port leads to.
type target struct {
	end       *End
	addresses map[ir.Family]netip.Addr
	protocol  ir.Protocol
	port      uint16
	// service is the Service's port.
	service string
}

// services finds the pods behind Services, as controllers do: by EndpointSlices. Where a
// Service has none, its selector is asked.
type services struct {
	byName map[objects.Name]*corev1.Service
	slices map[objects.Name][]*discoveryv1.EndpointSlice
	pods   map[string][]*corev1.Pod // by namespace
	ends   map[netip.Addr]*End
	// known caches targets: many paths of many Ingresses lead to few Services.
	known map[backend][]target
}

// backend identifies what a backend leads to.
type backend struct {
	service objects.Name
	port    intstr.IntOrString
	target  bool
}

func newServices(set *objects.Set, pods []netpath.Pod, ends map[netip.Addr]*End) *services {
	s := &services{byName: make(map[objects.Name]*corev1.Service), slices: make(map[objects.Name][]*discoveryv1.EndpointSlice), pods: make(map[string][]*corev1.Pod), ends: ends, known: make(map[backend][]target)}
	for _, src := range slices.SortedFunc(slices.Values(set.Services), objects.CompareFirst) {
		if name := objects.NameOf(src.Object); s.byName[name] == nil {
			s.byName[name] = src.Object
		}
	}
	for _, src := range slices.SortedFunc(slices.Values(set.EndpointSlices), objects.CompareFirst) {
		name := objects.ServiceOf(src.Object)
		s.slices[name] = append(s.slices[name], src.Object)
	}
	for _, src := range slices.SortedFunc(slices.Values(set.Pods), objects.CompareFirst) {
		s.pods[src.Object.Namespace] = append(s.pods[src.Object.Namespace], src.Object)
	}
	return s
}

// targets returns the pods that a backend leads to, one of each end: policies treat the
// others like it.
func (s *services) targets(b *objects.EntryBackend) []target {
	key := backend{b.Service, b.Port, b.Target}
	list, known := s.known[key]
	if known {
		return list
	}
	type place struct {
		end      *End
		protocol ir.Protocol
		port     uint16
		service  string
		v4, v6   bool
	}
	seen := make(map[place]bool)
	for _, t := range s.find(b) {
		p := place{t.end, t.protocol, t.port, t.service, t.addresses[ir.IPv4].IsValid(), t.addresses[ir.IPv6].IsValid()}
		if !seen[p] {
			seen[p] = true
			list = append(list, t)
		}
	}
	s.known[key] = list
	return list
}

// find returns all of them.
func (s *services) find(b *objects.EntryBackend) []target {
	svc := s.byName[b.Service]
	if svc == nil {
		return nil
	}
	var out []target
	for i := range svc.Spec.Ports {
		p := &svc.Spec.Ports[i]
		if !b.Names(p) {
			continue
		}
		if list := s.slices[b.Service]; len(list) > 0 {
			out = append(out, s.fromSlices(list, p, ambiguous(svc, p))...)
		} else {
			out = append(out, s.selected(svc, p)...)
		}
	}
	if b.Target && b.Port.Type == intstr.Int && b.Port.IntVal != 0 {
		out = slices.DeleteFunc(out, func(t target) bool { return int32(t.port) != b.Port.IntVal })
	}
	return out
}

// behind returns the ends behind any port of a Service, sorted, and whether there is such a
// Service.
func (s *services) behind(of objects.Name) (ends []*End, known bool) {
	for _, t := range s.targets(&objects.EntryBackend{Service: of}) {
		if !slices.Contains(ends, t.end) {
			ends = append(ends, t.end)
		}
	}
	slices.SortFunc(ends, compareEnds)
	return ends, s.byName[of] != nil
}

// ambiguous reports whether a Service has several ports of one name, which the API server
// refuses and manifests have: the number behind them tells them apart.
func ambiguous(svc *corev1.Service, p *corev1.ServicePort) bool {
	n := 0
	for i := range svc.Spec.Ports {
		if svc.Spec.Ports[i].Name == p.Name {
			n++
		}
	}
	return n > 1
}

// fromSlices returns the endpoints of a port; with number only those of its targetPort.
func (s *services) fromSlices(list []*discoveryv1.EndpointSlice, p *corev1.ServicePort, number bool) []target {
	var out []target
	for _, slice := range list {
		for _, sp := range slice.Ports {
			if sp.Port == nil || *sp.Port <= 0 || *sp.Port > 65535 || deref(sp.Name) != p.Name {
				continue
			}
			if number && p.TargetPort.Type == intstr.Int && *sp.Port != cmp.Or(p.TargetPort.IntVal, p.Port) {
				continue
			}
			for i := range slice.Endpoints {
				for _, text := range slice.Endpoints[i].Addresses {
					if a, err := netip.ParseAddr(text); err == nil {
						out = s.add(out, []netip.Addr{a.Unmap()}, p, uint16(*sp.Port))
					}
				}
			}
		}
	}
	return out
}

// selected returns the pods that a Service's selector matches.
func (s *services) selected(svc *corev1.Service, p *corev1.ServicePort) []target {
	if len(svc.Spec.Selector) == 0 {
		return nil
	}
	var out []target
	selector := labels.SelectorFromSet(svc.Spec.Selector)
	for _, pod := range s.pods[svc.Namespace] {
		if !selector.Matches(labels.Set(pod.Labels)) {
			continue
		}
		if port := targetPort(pod, p); port != 0 {
			out = s.add(out, netpath.PodAddresses(pod), p, port)
		}
	}
	return out
}

// targetPort returns the number of a Service's port on a pod, or 0.
func targetPort(pod *corev1.Pod, p *corev1.ServicePort) uint16 {
	n := p.TargetPort.IntVal
	switch {
	case p.TargetPort == intstr.IntOrString{}:
		n = p.Port
	case p.TargetPort.Type == intstr.String:
		for _, c := range pod.Spec.Containers {
			for _, cp := range c.Ports {
				if cp.Name == p.TargetPort.StrVal && (cp.Protocol == p.Protocol || cp.Protocol == "" && p.Protocol == corev1.ProtocolTCP) {
					n = cp.ContainerPort
				}
			}
		}
	}
	if n <= 0 || n > 65535 {
		return 0
	}
	return uint16(n)
}

func (s *services) add(out []target, list []netip.Addr, p *corev1.ServicePort, port uint16) []target {
	proto := ir.TCP
	if p.Protocol != "" {
		var err error
		if proto, err = ir.ParseProtocol(string(p.Protocol)); err != nil {
			return out
		}
	}
	t := target{addresses: make(map[ir.Family]netip.Addr), protocol: proto, port: port, service: strconv.Itoa(int(p.Port))}
	for _, a := range list {
		if e := s.ends[a]; e != nil {
			t.end, t.addresses[ir.FamilyOf(a)] = e, a
		}
	}
	if t.end == nil {
		return out
	}
	return append(out, t)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
