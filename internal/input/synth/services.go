package synth

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// The ports that an API server allocates (--service-node-port-range).
const firstNodePort, lastNodePort = 30000, 32767

// serviceMaker completes Services.
type serviceMaker struct {
	*maker
	taken map[netip.Addr]bool
	ports map[uint16]bool
	// The wishes for what Services lack, by kind of place.
	clusterIPs, balancers, nodePorts []wish
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// makeServices adds the addresses and ports that the API server and a load
// balancer would.
func (m *maker) makeServices() {
	m.ranges = m.serviceRanges()
	s := &serviceMaker{maker: m, taken: make(map[netip.Addr]bool), ports: make(map[uint16]bool)}
	services := m.out.Set.Services
	for _, src := range services {
		s.note(&src.Object.Spec, &src.Object.Status)
	}
	for _, src := range services {
		s.wish(objects.NameOf(src.Object).String(), src.Object)
	}
	given := allocation{
		clusterIPs: allocate(unique(s.clusterIPs)), balancers: allocate(unique(s.balancers)), nodePorts: allocate(unique(s.nodePorts)),
	}
	m.out.Set.Services = make([]objects.Sourced[*corev1.Service], 0, len(services))
	for _, src := range services {
		done := s.complete(src, given)
		m.out.Set.Services = append(m.out.Set.Services, done)
		if done.Object != src.Object {
			m.out.Made.Services = append(m.out.Made.Services, done)
		}
	}
}

// unique drops further wishes of one identity, which objects with the same
// name have.
func unique(wishes []wish) []wish {
	seen := make(map[string]bool, len(wishes))
	return slices.DeleteFunc(wishes, func(w wish) bool {
		again := seen[w.identity]
		seen[w.identity] = true
		return again
	})
}

// allocation holds the places of the wishes.
type allocation struct{ clusterIPs, balancers, nodePorts map[string]netip.AddrPort }

// serviceRanges returns the first range of each family in the settings or
// ServiceCIDR objects. Without any, it makes the object.
func (m *maker) serviceRanges() map[ir.Family]netip.Prefix {
	all := slices.Clone(m.options.ServiceCIDRs)
	for _, c := range m.in.ServiceCIDRs {
		for _, s := range c.Object.Spec.CIDRs {
			if p, err := netip.ParsePrefix(s); err == nil {
				all = append(all, p)
			}
		}
	}
	if len(all) == 0 {
		object := &networkingv1.ServiceCIDR{ObjectMeta: metav1.ObjectMeta{Name: "kubernetes", Labels: map[string]string{Label: whole}}}
		for _, f := range m.families {
			all = append(all, ir.PrefixesOf(f, serviceRanges)...)
			object.Spec.CIDRs = append(object.Spec.CIDRs, ir.PrefixesOf(f, serviceRanges)[0].String())
		}
		add(&m.out.Set.ServiceCIDRs, &m.out.Made.ServiceCIDRs, objects.Sourced[*networkingv1.ServiceCIDR]{Object: object})
	}
	out := make(map[ir.Family]netip.Prefix)
	for _, f := range ir.Families() {
		if of := ir.PrefixesOf(f, all); len(of) > 0 {
			out[f] = of[0]
		}
	}
	return out
}

// note records the places that a Service has.
func (s *serviceMaker) note(spec *corev1.ServiceSpec, status *corev1.ServiceStatus) {
	addrs := parseAll(append(slices.Clone(spec.ClusterIPs), spec.ClusterIP)...)
	addrs = append(addrs, parseAll(spec.ExternalIPs...)...)
	for _, in := range status.LoadBalancer.Ingress {
		addrs = append(addrs, parseAll(in.IP)...)
	}
	for _, a := range addrs {
		s.taken[a] = true
	}
	for i := range spec.Ports {
		s.ports[uint16(spec.Ports[i].NodePort)] = true
	}
	s.ports[uint16(spec.HealthCheckNodePort)] = true
}

// wish adds wishes for what a Service lacks.
func (s *serviceMaker) wish(id string, o *corev1.Service) {
	for _, f := range s.lacking(o) {
		s.clusterIPs = append(s.clusterIPs, addressWish(id+" "+f.String(), s.ranges[f], s.taken))
	}
	if lacksBalancer(o) && !s.pooled(o) {
		for _, f := range s.familiesOf(o) {
			s.balancers = append(s.balancers, addressWish(id+" "+f.String(), ir.PrefixesOf(f, balancers)[0], s.taken))
		}
	}
	if wantsNodePorts(o) {
		for i := range o.Spec.Ports {
			if o.Spec.Ports[i].NodePort == 0 {
				s.nodePorts = append(s.nodePorts, s.portWish(portID(id, &o.Spec.Ports[i])))
			}
		}
	}
	if lacksHealthPort(o) {
		s.nodePorts = append(s.nodePorts, s.portWish(id+" health check"))
	}
}

func portID(id string, p *corev1.ServicePort) string {
	name := p.Name
	if name == "" {
		name = strconv.Itoa(int(p.Port))
	}
	return id + " " + name + " " + string(p.Protocol)
}

func (s *serviceMaker) portWish(identity string) wish {
	return wish{identity, func(attempt int) (netip.AddrPort, bool) {
		n := uint16(firstNodePort + hash("nodePort", identity, strconv.Itoa(attempt))%(lastNodePort-firstNodePort+1))
		return netip.AddrPortFrom(netip.Addr{}, n), !s.ports[n]
	}}
}

func hasClusterIP(o *corev1.Service) bool {
	return o.Spec.Type != corev1.ServiceTypeExternalName && o.Spec.ClusterIP != corev1.ClusterIPNone && !slices.Contains(o.Spec.ClusterIPs, corev1.ClusterIPNone)
}

func lacksBalancer(o *corev1.Service) bool {
	return o.Spec.Type == corev1.ServiceTypeLoadBalancer && len(o.Status.LoadBalancer.Ingress) == 0 && hasClusterIP(o)
}

func wantsNodePorts(o *corev1.Service) bool {
	allocate := o.Spec.AllocateLoadBalancerNodePorts
	return o.Spec.Type == corev1.ServiceTypeNodePort || o.Spec.Type == corev1.ServiceTypeLoadBalancer && (allocate == nil || *allocate)
}

func lacksHealthPort(o *corev1.Service) bool {
	return o.Spec.Type == corev1.ServiceTypeLoadBalancer && o.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal && o.Spec.HealthCheckNodePort == 0
}

// familiesOf returns the Service's families, the first one first: those that it
// names, those of its addresses, or else one, or both if its policy and the cluster
// allow it. A family needs pods, and an address or a range for one.
func (s *serviceMaker) familiesOf(o *corev1.Service) []ir.Family {
	var out []ir.Family
	given := parseAll(append(slices.Clone(o.Spec.ClusterIPs), o.Spec.ClusterIP)...)
	push := func(f ir.Family) {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	for _, a := range given {
		push(ir.FamilyOf(a))
	}
	for _, f := range o.Spec.IPFamilies {
		if f == corev1.IPv6Protocol {
			push(ir.IPv6)
		} else {
			push(ir.IPv4)
		}
	}
	policy := o.Spec.IPFamilyPolicy
	if policy != nil && (*policy == corev1.IPFamilyPolicyPreferDualStack || *policy == corev1.IPFamilyPolicyRequireDualStack) {
		for _, f := range s.families {
			push(f)
		}
	}
	if len(out) == 0 && len(s.families) > 0 {
		push(s.families[0])
	}
	return slices.DeleteFunc(out, func(f ir.Family) bool {
		return !slices.Contains(s.families, f) || !s.ranges[f].IsValid() && len(ir.AddrsOf(f, given)) == 0
	})
}

// lacking returns the Service's families without a ClusterIP.
func (s *serviceMaker) lacking(o *corev1.Service) []ir.Family {
	if !hasClusterIP(o) {
		return nil
	}
	have := parseAll(append(slices.Clone(o.Spec.ClusterIPs), o.Spec.ClusterIP)...)
	return slices.DeleteFunc(s.familiesOf(o), func(f ir.Family) bool {
		return len(ir.AddrsOf(f, have)) > 0
	})
}

// complete returns the Service with its new places, or itself.
func (s *serviceMaker) complete(src objects.Sourced[*corev1.Service], given allocation) objects.Sourced[*corev1.Service] {
	id := objects.NameOf(src.Object).String()
	o := src.Object.DeepCopy()
	changed := false
	full := func(path string) {
		s.diags.Add(diag.SynthRangeFull, objects.Origin("Service", src).At(path), "nothing is free in the range")
	}
	for _, f := range s.lacking(src.Object) {
		a := given.clusterIPs[id+" "+f.String()].Addr()
		if !a.IsValid() {
			full("spec.clusterIP")
			continue
		}
		o.Spec.ClusterIPs, changed = append(o.Spec.ClusterIPs, a.String()), true
		o.Spec.ClusterIP = o.Spec.ClusterIPs[0]
	}
	if lacksBalancer(src.Object) && !s.pooled(src.Object) {
		for _, f := range s.familiesOf(src.Object) {
			if a := given.balancers[id+" "+f.String()].Addr(); a.IsValid() {
				o.Status.LoadBalancer.Ingress, changed = append(o.Status.LoadBalancer.Ingress, corev1.LoadBalancerIngress{IP: a.String()}), true
			}
		}
	}
	if wantsNodePorts(src.Object) {
		for i := range o.Spec.Ports {
			p := &o.Spec.Ports[i]
			if p.NodePort != 0 {
				continue
			}
			p.NodePort, changed = int32(given.nodePorts[portID(id, p)].Port()), true
			if p.NodePort == 0 {
				full("spec.ports[" + strconv.Itoa(i) + "].nodePort")
			}
		}
	}
	if lacksHealthPort(src.Object) {
		o.Spec.HealthCheckNodePort, changed = int32(given.nodePorts[id+" health check"].Port()), true
	}
	if !changed {
		return src
	}
	o.Labels = labelled(o.Labels, completed)
	return objects.Sourced[*corev1.Service]{Object: o, File: src.File, Line: src.Line}
}
