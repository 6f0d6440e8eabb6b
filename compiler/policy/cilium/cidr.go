package cilium

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// cidrGroup is a CiliumCIDRGroup that was accepted.
type cidrGroup struct {
	name   string
	labels map[string]string
	nets   []netip.Prefix
}

// lookup implements [labelled]: the labels of groups have a source of their own, which is
// that of keys without one.
func (g *cidrGroup) lookup(source, key string) (string, bool) {
	value, there := g.labels[key]
	return value, there && (source == sourceGroup || source == sourceAny)
}

// sourceGroup is the source of the labels of groups.
const sourceGroup = "cidrgroup"

// readGroups reads the groups; one that the API server would refuse does not exist.
func (w *world) readGroups(set *objects.Set, diags *diag.List) {
	for _, src := range set.CiliumCIDRGroups {
		g, at := src.Object, objects.Origin(ciliumv2.KindCIDRGroup, src)
		if errs := ValidateCIDRGroup(g); len(errs) > 0 {
			for _, e := range errs {
				diags.Add(diag.RefusedCIDRGroup, at.At(e.Field), e.ErrorBody())
			}
			continue
		}
		w.groups = append(w.groups, &cidrGroup{g.Name, g.Labels, prefixes(g.Spec.ExternalCIDRs)})
	}
}

// parseCIDR reads a CIDR; host bits do not count. IPv4 addresses written as IPv6 are
// refused: readers do not agree about them.
func parseCIDR(s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, false
	}
	return p.Masked(), true
}

// prefixes reads CIDRs that validation has accepted.
func prefixes(list []string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		if p, ok := parseCIDR(s); ok {
			out = append(out, p)
		}
	}
	return out
}

// networkOf reads one entry of fromCIDRSet or toCIDRSet. A group that does not exist has
// no network.
func (w *world) networkOf(r *ciliumv2.CIDRRule) network {
	n := network{except: prefixes(r.Except)}
	switch {
	case r.CIDR != "":
		n.in = prefixes([]string{r.CIDR})
	case r.CIDRGroupRef != "":
		n.in = w.groupNets(func(g *cidrGroup) bool { return g.name == r.CIDRGroupRef })
	case r.CIDRGroupSelector != nil:
		by := newSelectorOf(r.CIDRGroupSelector, sourceGroup)
		n.in = w.groupNets(func(g *cidrGroup) bool { return by.matches(g) })
	}
	words := make([]string, 0, len(n.in))
	for _, p := range n.in {
		words = append(words, p.String())
	}
	slices.Sort(words)
	n.text = strings.Join(slices.Compact(words), ",")
	if len(n.except) > 0 {
		words = words[:0]
		for _, p := range n.except {
			words = append(words, p.String())
		}
		slices.Sort(words)
		n.text += " except " + strings.Join(slices.Compact(words), ",")
	}
	return n
}

func (w *world) groupNets(which func(*cidrGroup) bool) []netip.Prefix {
	var out []netip.Prefix
	for _, g := range w.groups {
		if which(g) {
			out = append(out, g.nets...)
		}
	}
	return out
}

// networkPeer is the networks as they are; the rule excludes pods and nodes. It is nil
// without a network of a family that the cluster has.
func (w *world) networkPeer(n *network) *clause.Peer {
	in := slices.DeleteFunc(slices.Clone(n.in), func(p netip.Prefix) bool { return !slices.Contains(w.families(), ir.FamilyOf(p.Addr())) })
	// What is excluded whole is not there: a set cannot say so.
	in = slices.DeleteFunc(in, func(p netip.Prefix) bool {
		return slices.ContainsFunc(n.except, func(e netip.Prefix) bool { return e.Bits() <= p.Bits() && e.Contains(p.Addr()) })
	})
	if len(in) == 0 {
		return nil
	}
	return &clause.Peer{ID: "cilium net " + n.text, Resolve: func(string) clause.Set {
		return clause.Set{Networks: in, Except: n.except}
	}}
}

// holds reports whether an address is in the networks and not excluded. The network of
// all addresses of a family stands for its world, so it holds members of the cluster only
// where CIDRs match pods (pkg/policy/types/selector.go, matchesCIDRWildcard).
func (n *network) holds(a netip.Addr, whole bool) bool {
	in := slices.ContainsFunc(n.in, func(p netip.Prefix) bool { return p.Contains(a) && (whole || p.Bits() > 0) })
	return in && !ir.ContainsAddr(n.except, a)
}

// addMembers adds pods and nodes in a network, as far as the options let CIDRs match them.
func (w *world) addMembers(to *clause.Set, n *network, node string) {
	if w.options.cidrPods {
		for _, p := range w.cluster.Pods {
			for _, a := range p.Addresses {
				if n.holds(a, true) {
					to.Addresses = append(to.Addresses, a)
				}
			}
		}
	}
	if !w.options.cidrNodes {
		return
	}
	for _, member := range w.cluster.Nodes {
		for _, a := range member.Addresses {
			switch {
			case !n.holds(a, w.options.cidrPods):
			case member.Name == node: // one identity for all its addresses
				to.Nodes, to.OwnNode = append(to.Nodes, member), true
			default:
				to.Addresses = append(to.Addresses, a)
			}
		}
	}
}
