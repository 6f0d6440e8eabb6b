package dns

import (
	"fmt"
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Defaults of CoreDNS's plugin kubernetes, and of kubeadm.
const (
	DefaultZone = "cluster.local"
	DefaultTTL  = 5
)

// The record of the specification's version, and for how long CoreDNS lets it be kept.
const (
	versionName = "dns-version"
	version     = "1.1.0"
	versionTTL  = 28800
)

// longestTTL is the longest time for which an answer may be kept (RFC 2181, section 8).
const longestTTL = 1<<31 - 1

// Options say how records are made.
type Options struct {
	Zone string // the cluster's domain; "" is DefaultZone
	TTL  uint32 // seconds; 0 is DefaultTTL
}

// Zones returns the records of a cluster: of the cluster's domain, of the names of
// IPv4 and IPv6 addresses, and, where there are ServiceImports, of [ClusterSetZone]. It says which Services and endpoints have none.
// Objects are expected once each ([objects.Set.Deduplicate]).
func Zones(set *objects.Set, o Options) ([]Zone, diag.List, error) {
	if o.Zone == "" {
		o.Zone = DefaultZone
	}
	if o.TTL == 0 {
		o.TTL = DefaultTTL
	}
	// Room for "endpoint.service.namespace.svc." is needed in front of it.
	if !IsName(o.Zone) || len(o.Zone) > longestName/2 {
		return nil, nil, fmt.Errorf("zone %.80q: want a name as %s, of lower-case letters, digits and dashes", o.Zone, DefaultZone)
	}
	if z := strings.TrimSuffix(o.Zone, ".") + "."; strings.HasSuffix("."+z, ".arpa.") {
		return nil, nil, fmt.Errorf("zone %.80q: names of addresses are below arpa, not names of Services", o.Zone)
	}
	if o.TTL > longestTTL {
		return nil, nil, fmt.Errorf("a time to live of %d seconds: at most %d are allowed (RFC 2181)", o.TTL, longestTTL)
	}
	m := &maker{zone: strings.TrimSuffix(o.Zone, ".") + ".", ttl: o.TTL, slices: slicesOf(set), clusterIPs: make(map[netip.Addr]bool)}
	m.forward = []Record{{Name: versionName + "." + m.zone, Type: TXT, TTL: versionTTL, Text: version}}
	for i := range set.Services {
		m.service(set.Services[i])
	}
	m.rest()
	var more []Zone
	if len(set.ServiceImports) > 0 && m.zone != ClusterSetZone+"." {
		more = []Zone{m.clusterSet(set)}
	}
	zones := append([]Zone{{m.zone, sorted(m.forward)}, {reverse4, sorted(m.reverse(ir.IPv4))}, {reverse6, sorted(m.reverse(ir.IPv6))}}, more...)
	m.diags.Sort()
	return zones, m.diags, nil
}

// maker collects records.
type maker struct {
	zone string // the cluster's domain, with its last dot
	ttl  uint32
	// slices are those of each Service whose endpoints have no records yet.
	slices  map[objects.Name][]slice
	forward []Record
	// pointers are the names of addresses.
	pointers   []pointer
	clusterIPs map[netip.Addr]bool
	diags      diag.List
}

func (m *maker) service(src objects.Sourced[*corev1.Service]) {
	s, at := src.Object, objects.Origin("Service", src)
	name := s.Name + "." + s.Namespace + ".svc." + m.zone
	if !isLabel(s.Name) || !isLabel(s.Namespace) || len(name)-1 > longestName {
		m.diags.Add(diag.NoDNSRecord, at, fmt.Sprintf("%.300q is no DNS name", strings.TrimSuffix(name, ".")))
		return
	}
	switch {
	case s.Spec.Type == corev1.ServiceTypeExternalName:
		m.external(s, name, at)
	case s.Spec.ClusterIP == corev1.ClusterIPNone || len(s.Spec.ClusterIPs) > 0 && s.Spec.ClusterIPs[0] == corev1.ClusterIPNone:
		m.endpoints(s, name, at, true)
	default:
		m.clusterIP(s, name, at)
		m.endpoints(s, name, at, false)
	}
}

// external makes the record of a Service that is another name. An address in its place
// gets none: an ExternalName must be a name.
func (m *maker) external(s *corev1.Service, name string, at ir.Origin) {
	target := s.Spec.ExternalName
	if _, err := netip.ParseAddr(target); err == nil || !IsName(target) {
		m.diags.Add(diag.NoDNSRecord, at.At("spec.externalName"), fmt.Sprintf("%.300q is no DNS name", target))
		return
	}
	m.forward = append(m.forward, Record{Name: name, Type: CNAME, TTL: m.ttl, Target: strings.TrimSuffix(target, ".") + ".", Origin: at})
}

// clusterIP makes the records of a Service with ClusterIPs: addresses, ports, and the
// way back.
func (m *maker) clusterIP(s *corev1.Service, name string, at ir.Origin) {
	all := s.Spec.ClusterIPs
	if len(all) == 0 && s.Spec.ClusterIP != "" {
		all = []string{s.Spec.ClusterIP}
	}
	var addresses []netip.Addr
	for _, text := range all {
		if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
			addresses = append(addresses, a.Unmap())
		}
	}
	if len(addresses) == 0 {
		m.diags.Add(diag.NoDNSRecord, at, "it has no ClusterIP yet")
		return
	}
	for _, a := range addresses {
		m.address(name, a, at)
		m.pointers = append(m.pointers, pointer{of: a, Record: m.newPointer(a, name, at)})
		m.clusterIPs[a] = true
	}
	for _, p := range s.Spec.Ports {
		m.port(name, name, portOf(p.Name, string(p.Protocol), p.Port), len(addresses), at)
	}
}

func (m *maker) address(name string, a netip.Addr, at ir.Origin) {
	t := A
	if a.Is6() {
		t = AAAA
	}
	m.forward = append(m.forward, Record{Name: name, Type: t, TTL: m.ttl, Address: a, Origin: at})
}
