package layer2

import (
	"cmp"
	"crypto/sha256"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Announced is an address and who may answer for it.
type Announced struct {
	Address  netip.Addr
	Services []objects.Name // that have it, sorted
	// Candidates are the nodes, best first: by a hash of node and address, so that addresses
	// are spread over nodes, and few move when a node comes or goes.
	Candidates []string
	// By are the objects that announce it, sorted.
	By []ir.Origin
	// interfaces are the rules of each candidate.
	interfaces map[string]interfaces
}

// On reports whether the node answers on an interface.
func (a *Announced) On(node, link string) bool { return a.interfaces[node].has(link) }

// Lower returns what is announced, sorted by address. Objects are expected once each.
func Lower(set *objects.Set) ([]Announced, diag.List) {
	var diags diag.List
	rules := readRules(set, &diags)
	if len(rules) == 0 {
		return nil, diags
	}
	l := lowerer{set: set, pools: ipam.Allocate(set, ipam.Settings{}), ready: readyNodes(set), byAddress: make(map[netip.Addr]*Announced)}
	for _, n := range set.Nodes {
		if _, excluded := n.Object.Labels[corev1.LabelNodeExcludeBalancers]; !excluded {
			l.nodes = append(l.nodes, n.Object)
		}
	}
	services := slices.Clone(set.Services)
	slices.SortFunc(services, func(a, b objects.Sourced[*corev1.Service]) int {
		return objects.NameOf(a.Object).Compare(objects.NameOf(b.Object))
	})
	for _, s := range services {
		l.service(s.Object, rules)
	}
	return l.sorted(), diags
}

// lowerer collects addresses.
type lowerer struct {
	set       *objects.Set
	pools     ipam.Result
	nodes     []*corev1.Node
	ready     map[objects.Name]map[string]bool
	byAddress map[netip.Addr]*Announced
}

func (l *lowerer) sorted() []Announced {
	out := make([]Announced, 0, len(l.byAddress))
	for _, a := range l.byAddress {
		order(a)
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Announced) int { return a.Address.Compare(b.Address) })
	return out
}

// order sorts candidates by their hash with the address, and origins.
func order(a *Announced) {
	key := make(map[string]string, len(a.Candidates))
	for _, n := range a.Candidates {
		sum := sha256.Sum256([]byte(n + "#" + a.Address.String()))
		key[n] = string(sum[:])
	}
	slices.SortFunc(a.Candidates, func(x, y string) int { return cmp.Compare(key[x], key[y]) })
	slices.SortFunc(a.By, func(x, y ir.Origin) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Object(), y.Object()))
	})
	a.By = slices.Compact(a.By)
}

// service adds the addresses of one Service.
func (l *lowerer) service(s *corev1.Service, rules []rule) {
	if s.Spec.Type != corev1.ServiceTypeLoadBalancer && len(s.Spec.ExternalIPs) == 0 {
		return
	}
	for _, x := range l.addresses(s) {
		here := Announced{Address: x.addr, Services: []objects.Name{objects.NameOf(s)}, interfaces: make(map[string]interfaces)}
		for i := range rules {
			if r := &rules[i]; r.announces(s, x) {
				l.candidates(&here, s, r)
			}
		}
		if len(here.By) == 0 {
			continue
		}
		if have := l.byAddress[x.addr]; have != nil {
			share(have, &here)
			continue
		}
		l.byAddress[x.addr] = &here
	}
}

// address is one of a Service.
type address struct {
	addr     netip.Addr
	external bool          // it is one of externalIPs
	pool     ipam.PoolName // the zero value is none
}

// addresses are those of the status that packets come to, and externalIPs.
func (l *lowerer) addresses(s *corev1.Service) []address {
	var out []address
	seen := make(map[netip.Addr]bool)
	add := func(text string, x address) {
		a, err := netip.ParseAddr(text)
		if x.addr = a.Unmap(); err == nil && a.Zone() == "" && !seen[x.addr] {
			seen[x.addr] = true
			out = append(out, x)
		}
	}
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer {
		of := l.pools.Of(objects.NameOf(s))
		for _, in := range s.Status.LoadBalancer.Ingress {
			if in.IPMode != nil && *in.IPMode == corev1.LoadBalancerIPModeProxy {
				continue
			}
			x := address{}
			if of != nil {
				if i := slices.IndexFunc(of.Addresses, func(a ipam.Address) bool { return a.Addr.String() == in.IP }); i >= 0 {
					x.pool = of.Addresses[i].Pool
				}
			}
			add(in.IP, x)
		}
	}
	for _, ip := range s.Spec.ExternalIPs {
		add(ip, address{external: true})
	}
	return out
}

// candidates adds the nodes that a rule selects.
func (l *lowerer) candidates(a *Announced, s *corev1.Service, r *rule) {
	a.By = append(a.By, r.origin)
	ready := l.ready[objects.NameOf(s)]
	if len(ready) == 0 {
		return
	}
	for _, n := range l.nodes {
		local := s.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal
		if local && !ready[n.Name] || !r.selectsNode(n.Labels) {
			continue
		}
		if !slices.Contains(a.Candidates, n.Name) {
			a.Candidates = append(a.Candidates, n.Name)
		}
		a.interfaces[n.Name] = append(a.interfaces[n.Name], r.interfaces)
	}
}

// share adds another Service of the same address.
func share(a, other *Announced) {
	a.Services = append(a.Services, other.Services...)
	a.By = append(a.By, other.By...)
	a.Candidates = slices.DeleteFunc(a.Candidates, func(n string) bool { return !slices.Contains(other.Candidates, n) })
	for n, rules := range other.interfaces {
		a.interfaces[n] = append(a.interfaces[n], rules...)
	}
}

// readyNodes lists the nodes with ready endpoints of each Service; "" stands for endpoints
// without a node.
func readyNodes(set *objects.Set) map[objects.Name]map[string]bool {
	out := make(map[objects.Name]map[string]bool)
	for _, src := range set.EndpointSlices {
		s := src.Object
		if s.AddressType == discoveryv1.AddressTypeFQDN {
			continue
		}
		of := objects.ServiceOf(s)
		for i := range s.Endpoints {
			e := &s.Endpoints[i]
			if e.Conditions.Ready != nil && !*e.Conditions.Ready {
				continue
			}
			if out[of] == nil {
				out[of] = make(map[string]bool)
			}
			node := ""
			if e.NodeName != nil {
				node = *e.NodeName
			}
			out[of][node] = true
		}
	}
	return out
}
