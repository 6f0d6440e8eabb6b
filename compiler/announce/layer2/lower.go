package layer2

import (
	"cmp"
	"crypto/sha256"
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler/announce"
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
	cluster, byAddress := announce.New(set, ipam.Settings{}), make(map[netip.Addr]*Announced)
	for _, s := range cluster.Services() {
		for _, x := range s.Addresses {
			if x.Kind == announce.ClusterIP {
				continue
			}
			here := announced(cluster, s, x, rules)
			switch have := byAddress[x.Addr]; {
			case len(here.By) == 0:
			case have == nil:
				byAddress[x.Addr] = &here
			default:
				have.share(&here)
			}
		}
	}
	out := make([]Announced, 0, len(byAddress))
	for _, a := range byAddress {
		a.order()
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Announced) int { return a.Address.Compare(b.Address) })
	return out, diags
}

// announced is what the rules say of one address of a Service.
func announced(c *announce.Cluster, s *announce.Service, x announce.Address, rules []rule) Announced {
	out := Announced{Address: x.Addr, Services: []objects.Name{s.Name}, interfaces: make(map[string]interfaces)}
	for i := range rules {
		r := &rules[i]
		if !r.announces(s.Object, x) {
			continue
		}
		out.By = append(out.By, r.origin)
		for _, n := range c.Nodes() {
			if s.Refuses(n, x) != "" || !r.selectsNode(n.Labels) {
				continue
			}
			if !slices.Contains(out.Candidates, n.Name) {
				out.Candidates = append(out.Candidates, n.Name)
			}
			out.interfaces[n.Name] = append(out.interfaces[n.Name], r.interfaces)
		}
	}
	return out
}

// order sorts candidates by their hash with the address, and origins.
func (a *Announced) order() {
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

// share adds another Service of the same address.
func (a *Announced) share(other *Announced) {
	a.Services = append(a.Services, other.Services...)
	a.By = append(a.By, other.By...)
	a.Candidates = slices.DeleteFunc(a.Candidates, func(n string) bool { return !slices.Contains(other.Candidates, n) })
	for n, rules := range other.interfaces {
		a.interfaces[n] = append(a.interfaces[n], rules...)
	}
}
