package calico

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/policy/calico/selector"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// families is which address families a rule is about.
type families struct{ v4, v6 bool }

// bothFamilies is a rule about everything.
var bothFamilies = families{true, true}

func (f families) none() bool { return !f.v4 && !f.v6 }

func (f families) has(of ir.Family) bool { return of == ir.IPv4 && f.v4 || of == ir.IPv6 && f.v6 }

func (f families) and(g families) families { return families{f.v4 && g.v4, f.v6 && g.v6} }

// only returns the family, if there is only one, or 0.
func (f families) only() ir.Family {
	switch {
	case f.v4 && !f.v6:
		return ir.IPv4
	case f.v6 && !f.v4:
		return ir.IPv6
	}
	return 0
}

func onlyFamily(f ir.Family) families { return families{f == ir.IPv4, f == ir.IPv6} }

// text tells families apart.
func (f families) text() string {
	if one := f.only(); one != 0 {
		return one.String()
	}
	return ""
}

// everything are the networks of all addresses of a family.
var everything = map[ir.Family]netip.Prefix{
	ir.IPv4: netip.PrefixFrom(netip.IPv4Unspecified(), 0),
	ir.IPv6: netip.PrefixFrom(netip.IPv6Unspecified(), 0),
}

// area is a set of addresses: what all of its parts hold. Without parts it is
// everything.
type area struct {
	// selector is pods and network sets, or nil.
	selector *selector.Selector
	// pods are pods alone, which the text tells; groups are parts of what the
	// selector selects.
	groups *podGroups
	// addresses are endpoints of a Service, whose name is the text.
	endpoints *endpoints
	nets      []netip.Prefix // of one family; the union
	family    ir.Family      // the only one, or 0
}

// podGroups is a list of pods with its canonical text.
type podGroups struct {
	pods []*clause.Pod
	text string
}

// endpoints is a list of addresses with its canonical text.
type endpoints struct {
	addresses []netip.Addr
	text      string
}

// isEverything reports that the area holds every address.
func (a *area) isEverything() bool {
	return a.selector == nil && a.groups == nil && a.endpoints == nil && len(a.nets) == 0 && a.family == 0
}

// id is canonical.
func (a *area) id() string {
	words := []string{"calico"}
	if a.selector != nil {
		words = append(words, a.selector.String())
	}
	if a.groups != nil {
		words = append(words, "pods with "+a.groups.text)
	}
	if a.endpoints != nil {
		words = append(words, "service "+a.endpoints.text)
	}
	if len(a.nets) > 0 {
		nets := make([]string, len(a.nets))
		for i, n := range a.nets {
			nets[i] = n.String()
		}
		slices.Sort(nets)
		words = append(words, "in "+strings.Join(slices.Compact(nets), ","))
	}
	if a.family != 0 {
		words = append(words, "of "+a.family.String())
	}
	return strings.Join(words, " ")
}

// holds reports whether an address is within the networks and the family.
func (a *area) holds(x netip.Addr) bool {
	return (len(a.nets) == 0 || ir.ContainsAddr(a.nets, x)) && (a.family == 0 || ir.FamilyOf(x) == a.family)
}

// peer returns the area for rules.
func (a area) peer(w *world) *clause.Peer {
	return &clause.Peer{ID: a.id(), Resolve: func(string) clause.Set { return a.resolve(w) }}
}

func (a *area) resolve(w *world) clause.Set {
	switch {
	case a.endpoints != nil:
		return clause.Set{Addresses: a.ofEndpoints()}
	case a.groups != nil:
		return a.within(a.groups.pods, nil)
	case a.selector != nil:
		return a.within(w.pods(a.selector), w.networks(a.selector))
	case len(a.nets) > 0:
		return clause.Set{Networks: slices.Clone(a.nets)}
	}
	return clause.Set{Networks: []netip.Prefix{everything[a.family]}}
}

// ofEndpoints returns the endpoints that are in all other parts too.
func (a *area) ofEndpoints() []netip.Addr {
	pods := make(map[netip.Addr]bool)
	if a.groups != nil {
		for _, p := range a.groups.pods {
			for _, x := range p.Addresses {
				pods[x] = true
			}
		}
	}
	var out []netip.Addr
	for _, x := range a.endpoints.addresses {
		if a.holds(x) && (a.groups == nil || pods[x]) {
			out = append(out, x)
		}
	}
	return out
}

// within returns the pods and networks as far as they are in the area's own networks and
// family.
func (a *area) within(pods []*clause.Pod, networks []netip.Prefix) clause.Set {
	if len(a.nets) == 0 && a.family == 0 {
		return clause.Set{Pods: pods, Networks: networks}
	}
	var out clause.Set
	for _, p := range pods {
		in := slices.DeleteFunc(slices.Clone(p.Addresses), func(x netip.Addr) bool { return !a.holds(x) })
		if len(in) == len(p.Addresses) {
			out.Pods = append(out.Pods, p)
		} else {
			out.Addresses = append(out.Addresses, in...)
		}
	}
	for _, n := range networks {
		out.Networks = append(out.Networks, a.cut(n)...)
	}
	return out
}

// cut returns the parts of a network that are in the area's own networks and family.
func (a *area) cut(n netip.Prefix) []netip.Prefix {
	if a.family != 0 && familyOfNet(n) != a.family {
		return nil
	}
	if len(a.nets) == 0 {
		return []netip.Prefix{n}
	}
	var out []netip.Prefix
	for _, m := range a.nets {
		switch {
		case !m.Overlaps(n):
		case m.Bits() >= n.Bits():
			out = append(out, m)
		default:
			out = append(out, n)
		}
	}
	return out
}
