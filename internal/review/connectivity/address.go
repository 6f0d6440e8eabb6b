package connectivity

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/netpath"
)

// inhabitants are the addresses inside the cluster: whose they are.
type inhabitants struct {
	ends  map[netip.Addr][]*End // pods on the host's network share their node's address
	nodes map[netip.Addr]string // names of nodes
	all   []netip.Addr          // both, sorted
}

func (m *Map) findInhabitants(set *objects.Set, pods []netpath.Pod) {
	in := inhabitants{ends: make(map[netip.Addr][]*End), nodes: make(map[netip.Addr]string)}
	byPod := m.endsByPod()
	for i := range pods {
		e := byPod[objects.Name{Namespace: pods[i].Namespace, Name: pods[i].Name}]
		for _, a := range pods[i].Addresses {
			if e != nil && !slices.Contains(in.ends[a], e) {
				in.ends[a] = append(in.ends[a], e)
			}
		}
	}
	for _, n := range set.Nodes {
		for _, a := range objects.NodeIPs(n.Object, nil) {
			in.nodes[a] = n.Object.Name
		}
	}
	for a := range takenAddresses(set, pods) {
		in.all = append(in.all, a)
	}
	slices.SortFunc(in.all, netip.Addr.Compare)
	m.inside = in
}

// address adds an address: the workload whose it is, or a network outside.
func (m *Map) address(s *side, a netip.Addr) error {
	a = a.Unmap()
	if list := m.inside.ends[a]; len(list) > 0 {
		for _, e := range list {
			s.ends[e] = true
		}
		return nil
	}
	if node, is := m.inside.nodes[a]; is {
		return fmt.Errorf("this is node %s, and the list has pods and networks outside only; name a workload on the host's network, or ask planec trace", node)
	}
	s.networks = append(s.networks, netip.PrefixFrom(a, a.BitLen()))
	return nil
}

// network adds a network, and a bound if addresses inside the cluster are in it: the list
// has those as workloads.
func (m *Map) network(s *side, p netip.Prefix) error {
	if p.IsSingleIP() {
		return m.address(s, p.Addr())
	}
	p = p.Masked()
	s.networks = append(s.networks, p)
	var names []string
	for _, a := range m.inside.all {
		if !p.Contains(a) {
			continue
		}
		if node, is := m.inside.nodes[a]; is {
			names = append(names, "node "+node)
		}
		for _, e := range m.inside.ends[a] {
			names = append(names, e.String())
		}
	}
	if len(names) > 0 {
		slices.Sort(names)
		s.bounds = append(s.bounds, fmt.Sprintf("%v is about its addresses outside the cluster only, and not about those of %s; name these by themselves", p, few(slices.Compact(names))))
	}
	return nil
}

// few joins names, the first few of many.
func few(names []string) string {
	const most = 4
	if len(names) > most+1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return clusterwide.Join(names, "and")
}
