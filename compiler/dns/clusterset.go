package dns

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/mcs"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// ClusterSetZone is the domain of Services of several clusters (KEP-1645, specification.md),
// and the version of that specification.
const (
	ClusterSetZone    = "clusterset.local"
	clusterSetVersion = "1.0.0"
)

// clusterSet makes the zone of ServiceImports: addresses and ports of those with an address,
// also if planec does not serve it; endpoints of headless ones, by their clusters. Only an address without a name
// gets one here.
func (m *maker) clusterSet(set *objects.Set) Zone {
	zone := ClusterSetZone + "."
	c := &maker{zone: zone, ttl: m.ttl, clusterIPs: m.clusterIPs}
	c.forward = []Record{{Name: versionName + "." + zone, Type: TXT, TTL: versionTTL, Text: clusterSetVersion}}
	slices := importedSlices(set)
	for _, src := range set.ServiceImports {
		i, at := src.Object, objects.Origin(mcs.KindServiceImport, src)
		name := i.Name + "." + i.Namespace + ".svc." + zone
		switch {
		case !isLabel(i.Name) || !isLabel(i.Namespace):
			c.diags.Add(diag.NoDNSRecord, at, fmt.Sprintf("%.300q is no DNS name", strings.TrimSuffix(name, ".")))
		case i.Spec.Type == mcs.Headless:
			c.headlessImport(name, slices[objects.NameOf(i)])
		case i.Spec.Type == mcs.ClusterSetIP:
			c.importIPs(i, name, at)
		}
	}
	m.diags = append(m.diags, c.diags...)
	m.addPointers(c.pointers)
	return Zone{zone, sorted(c.forward)}
}

// importedSlices lists the slices of each import. One that belongs to a derived Service has
// names here too.
func importedSlices(set *objects.Set) map[objects.Name][]slice {
	out := make(map[objects.Name][]slice)
	for i := range set.EndpointSlices {
		s := set.EndpointSlices[i].Object
		if of := s.Labels[mcs.LabelServiceName]; of != "" && isAddresses(s) {
			n := objects.Name{Namespace: s.Namespace, Name: of}
			out[n] = append(out[n], newSlice(set.EndpointSlices[i]))
		}
	}
	return out
}

// importIPs makes the records of an import with addresses, as of a Service with ClusterIPs.
func (m *maker) importIPs(i *mcs.ServiceImport, name string, at ir.Origin) {
	var addresses []netip.Addr
	for _, text := range i.Spec.IPs {
		if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
			addresses = append(addresses, a.Unmap())
		}
	}
	if len(addresses) == 0 {
		m.diags.Add(diag.NoDNSRecord, at, "it has no address")
		return
	}
	for _, a := range addresses {
		m.address(name, a, at)
		m.pointers = append(m.pointers, pointer{of: a, Record: m.newPointer(a, name, at)})
	}
	for _, p := range i.Spec.Ports {
		m.port(name, name, portOf(p.Name, string(p.Protocol), p.Port), len(addresses), at)
	}
}

// headlessImport makes the records of a headless import: its name leads to the ready endpoints of
// all clusters, which have names of their own below their cluster's. An endpoint without a cluster has none.
func (m *maker) headlessImport(service string, all []slice) {
	answers := make(map[port]int)
	lists := make([][]named, len(all))
	for i := range all {
		below := service
		if c := clusterOf(&all[i]); c != "" {
			below = c + "." + service
		}
		lists[i] = m.named(&all[i], below)
		for _, p := range all[i].ports {
			answers[port{name: p.name, protocol: p.protocol}] += len(lists[i])
		}
	}
	for i, list := range lists {
		for _, e := range list {
			m.address(service, e.address, e.at)
			if clusterOf(&all[i]) == "" {
				continue
			}
			m.address(e.name, e.address, e.at)
			m.pointers = append(m.pointers, pointer{of: e.address, endpoint: true, Record: m.newPointer(e.address, e.name, e.at)})
			for _, p := range all[i].ports {
				m.port(service, e.name, p, answers[port{name: p.name, protocol: p.protocol}], e.at)
			}
		}
	}
}

// clusterOf is the name of a slice's cluster, where it can be a part of a name.
func clusterOf(x *slice) string {
	if c := x.Object.Labels[objects.SourceClusterLabel]; isLabel(c) {
		return c
	}
	return ""
}

// addPointers adds names of addresses that have none.
func (m *maker) addPointers(more []pointer) {
	has := make(map[netip.Addr]bool, len(m.pointers))
	for _, p := range m.pointers {
		has[p.of] = true
	}
	for _, p := range more {
		if !has[p.of] {
			m.pointers = append(m.pointers, p)
		}
	}
}
