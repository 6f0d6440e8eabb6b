package service

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// labelProxyName assigns a Service to another proxy (KEP-2447); any value counts.
const labelProxyName = "service.kubernetes.io/service-proxy-name"

// service returns nil for a Service that matters to no node.
func (a *analysis) service(src objects.Sourced[*corev1.Service]) *service {
	s := a.readService(src)
	if s == nil && len(a.settings.ImportCIDRs) > 0 {
		return reserve(src)
	}
	return s
}

// readService returns nil for a Service without rules.
func (a *analysis) readService(src objects.Sourced[*corev1.Service]) *service {
	obj, diags := src.Object, &a.diags
	if _, other := obj.Labels[labelProxyName]; other || obj.Spec.Type == corev1.ServiceTypeExternalName {
		return nil
	}
	s := a.memory.services.one()
	s.name, s.object, s.origin = objects.NameOf(obj), obj, objects.Origin("Service", src)
	s.clusterIPs = a.memory.addrs.take(len(ir.Families()))
	if !s.readClusterIPs(diags) || !s.readPolicies(diags) {
		return nil
	}
	s.readSourceRanges(diags)
	s.readVIPs(a.settings.ExternalIPs, diags)
	s.readAffinity(diags)
	s.readClusters(diags)
	a.ports(s)
	s.boundFrontends(diags)
	s.readHealthPort(diags)
	return s
}

// readClusterIPs reports whether there are any. Headless Services have none,
// which is not reported.
func (s *service) readClusterIPs(diags *diag.List) bool {
	spec := &s.object.Spec
	values := spec.ClusterIPs
	if len(values) == 0 {
		values = []string{spec.ClusterIP}
	}
	// The first address is usually only in clusterIP; the defaults, and synth for the
	// other family, fill the list.
	path := func(i int) string {
		if i == 0 && values[0] == spec.ClusterIP {
			return "spec.clusterIP"
		}
		return fmt.Sprintf("spec.clusterIPs[%d]", i)
	}
	if spec.ClusterIP == corev1.ClusterIPNone || values[0] == corev1.ClusterIPNone {
		return false
	}
	if values[0] == "" {
		diags.Add(diag.NoClusterIP, s.origin.At("spec.clusterIP"), "no ClusterIP, so no rules")
		return false
	}
	for i, v := range values {
		at := s.origin.At(path(i))
		addr, ok := readVIP(v, checkVIP, at, diag.BadServiceIP, diags)
		if !ok {
			continue
		}
		// A Service has at most one ClusterIP of each family (KEP-563).
		if s.serves(ir.FamilyOf(addr)) {
			diags.Add(diag.BadServiceIP, at, fmt.Sprintf("%v is a second ClusterIP of its family", addr))
			continue
		}
		s.clusterIPs = append(s.clusterIPs, addr)
	}
	return len(s.clusterIPs) > 0
}

// readPolicies reports whether the traffic policies are known: a wrong guess
// would serve traffic that should be dropped.
func (s *service) readPolicies(diags *diag.List) bool {
	spec := &s.object.Spec
	if p := spec.InternalTrafficPolicy; p != nil {
		switch *p {
		case corev1.ServiceInternalTrafficPolicyLocal:
			s.internalLocal = true
		case corev1.ServiceInternalTrafficPolicyCluster, "":
		default:
			diags.Add(diag.BadPolicy, s.origin.At("spec.internalTrafficPolicy"), fmt.Sprintf("unknown policy %q", clip(string(*p))))
			return false
		}
	}
	switch spec.ExternalTrafficPolicy {
	case corev1.ServiceExternalTrafficPolicyLocal:
		// The field has no effect on types without outside clients
		// (ExternalPolicyLocal in pkg/api/v1/service).
		s.externalLocal = spec.Type == corev1.ServiceTypeLoadBalancer || spec.Type == corev1.ServiceTypeNodePort || len(spec.ExternalIPs) > 0
	case corev1.ServiceExternalTrafficPolicyCluster, "":
	default:
		diags.Add(diag.BadPolicy, s.origin.At("spec.externalTrafficPolicy"), fmt.Sprintf("unknown policy %q", clip(string(spec.ExternalTrafficPolicy))))
		return false
	}
	return true
}

// readVIPs collects external and load-balancer addresses in the families of
// the Service.
func (s *service) readVIPs(external objects.ExternalIPs, diags *diag.List) {
	seen := make(map[vip]bool)
	for i, ing := range s.object.Status.LoadBalancer.Ingress {
		// With ipMode Proxy the load balancer rewrites the destination itself
		// (KEP-1860). A kernel cannot use host names.
		if ing.IP == "" || (ing.IPMode != nil && *ing.IPMode != corev1.LoadBalancerIPModeVIP) || s.closed {
			continue
		}
		at := s.origin.At(fmt.Sprintf("status.loadBalancer.ingress[%d].ip", i))
		if addr, ok := readVIP(ing.IP, checkVIP, at, diag.BadIngressIP, diags); ok {
			s.addVIP(vip{ir.LoadBalancer, addr}, seen)
		}
	}
	for i, ip := range s.object.Spec.ExternalIPs {
		at := s.origin.At(fmt.Sprintf("spec.externalIPs[%d]", i))
		addr, ok := readVIP(ip, checkEndpointAddr, at, diag.BadExternalIP, diags)
		switch {
		case !ok:
		case !external.Serves(addr):
			diags.Add(diag.DeniedExternalIP, at, fmt.Sprintf("%v is not served: the setting external-ips does not allow it", addr))
		default:
			s.addVIP(vip{ir.ExternalIP, addr}, seen)
		}
	}
}

func readVIP(ip string, check func(netip.Addr) error, at ir.Origin, code diag.Code, diags *diag.List) (netip.Addr, bool) {
	addr, err := parseAddr(ip)
	if err == nil {
		err = check(addr)
	}
	if err != nil {
		diags.Add(code, at, err.Error())
	}
	return addr, err == nil
}

// addVIP adds an address if the Service has its family; seen are the addresses so
// far.
func (s *service) addVIP(v vip, seen map[vip]bool) {
	if s.serves(ir.FamilyOf(v.addr)) && !seen[v] {
		seen[v] = true
		s.vips = append(s.vips, v)
	}
}

// readSourceRanges reads loadBalancerSourceRanges. One invalid range closes the
// load-balancer addresses, because ignoring it could open them to everyone.
func (s *service) readSourceRanges(diags *diag.List) {
	for i, r := range s.object.Spec.LoadBalancerSourceRanges {
		p, err := parseRange(r)
		if err != nil {
			at := s.origin.At(fmt.Sprintf("spec.loadBalancerSourceRanges[%d]", i))
			diags.Add(diag.BadSourceRange, at, err.Error())
			s.closed = true
			continue
		}
		s.sourceRanges = append(s.sourceRanges, p)
	}
	s.sourceRanges = ir.DisjointPrefixes(s.sourceRanges)
	s.warnOpenFamily(diags)
}

// warnOpenFamily reports ranges that close one family and leave the other
// open, which is the behaviour of Kubernetes and seldom intended.
func (s *service) warnOpenFamily(diags *diag.List) {
	if len(s.sourceRanges) == 0 {
		return
	}
	restricted := make(map[ir.Family]bool)
	for _, p := range s.sourceRanges {
		restricted[ir.FamilyOf(p.Addr())] = true
	}
	for i, ing := range s.object.Status.LoadBalancer.Ingress {
		addr, err := parseAddr(ing.IP)
		if err != nil || restricted[ir.FamilyOf(addr)] {
			continue
		}
		at := s.origin.At(fmt.Sprintf("status.loadBalancer.ingress[%d].ip", i))
		diags.Add(diag.SourceRangeFamily, at, fmt.Sprintf("%v is open to every source, because no range is %v", addr, ir.FamilyOf(addr)))
	}
}

// rangesFor returns the sources that may use load-balancer addresses of the
// family; an empty list means all.
func (s *service) rangesFor(f ir.Family) []netip.Prefix {
	ranges := ir.PrefixesOf(f, s.sourceRanges)
	if len(ranges) > 0 && ranges[0].Bits() == 0 {
		return nil
	}
	return ranges
}

func (s *service) readAffinity(diags *diag.List) {
	spec := &s.object.Spec
	switch spec.SessionAffinity {
	case corev1.ServiceAffinityNone, "":
		return
	case corev1.ServiceAffinityClientIP:
	default:
		diags.Add(diag.BadAffinity, s.origin.At("spec.sessionAffinity"), fmt.Sprintf("unknown affinity %q", clip(string(spec.SessionAffinity))))
		return
	}
	seconds := corev1.DefaultClientIPServiceAffinitySeconds
	if c := spec.SessionAffinityConfig; c != nil && c.ClientIP != nil && c.ClientIP.TimeoutSeconds != nil {
		seconds = *c.ClientIP.TimeoutSeconds
	}
	// MaxClientIPServiceAffinitySeconds in pkg/apis/core/types.go.
	const most = 86400
	if seconds < 1 || seconds > most {
		at := s.origin.At("spec.sessionAffinityConfig.clientIP.timeoutSeconds")
		diags.Add(diag.BadAffinity, at, fmt.Sprintf("%d is not between 1 and %d", seconds, most))
		return
	}
	s.affinity = uint32(seconds)
}

func (s *service) readHealthPort(diags *diag.List) {
	spec := &s.object.Spec
	if spec.Type != corev1.ServiceTypeLoadBalancer || !s.externalLocal || spec.HealthCheckNodePort == 0 {
		return
	}
	number, err := portNumber(spec.HealthCheckNodePort)
	if err != nil {
		diags.Add(diag.BadHealthPort, s.origin.At("spec.healthCheckNodePort"), err.Error())
		return
	}
	s.healthPort = number
}
