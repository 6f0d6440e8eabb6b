package announce

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/bgp"
	"github.com/planec/planec/ir/diag"
)

// Bounds of what one node announces, so that hostile objects stay small.
const (
	maxNeighbors   = 128   // of a node
	maxRoutes      = 50000 // of a neighbor
	maxCommunities = 64    // of a route: an UPDATE of BGP has 4096 bytes
)

// bgpObjects are the objects of BGP, read once for all nodes.
type bgpObjects struct {
	// peers are in the order in which they decide what only one of them can: the older first.
	peers    []*peer
	profiles map[string]bgp.Profile
}

// peer is a neighbor of the nodes that it is for.
type peer struct {
	bgp.Neighbor        // without routes
	asn          uint32 // of the node's router
	vrf          string
	routerID     netip.Addr
	nodes        func(*Node) bool
	adverts      map[ir.Family][]*advert
	// override changes what a node does otherwise; nil changes nothing.
	override func(node string, p *peer)
}

// advert is what an advertisement announces.
type advert struct {
	by       string
	origin   ir.Origin
	nodes    func(*Node) bool
	selected []selected // sorted by Service and address
	podCIDRs bool       // the node's ranges of pods too

	localPref   uint32
	communities []bgp.Community
}

// selected is an address of a Service that an advertisement selects, and the network that is
// announced for it.
type selected struct {
	service *Service
	address Address
	prefix  netip.Prefix
}

// readBGP reads the objects of both projects.
func (c *Cluster) readBGP(set *objects.Set) {
	c.bgp.profiles = make(map[string]bgp.Profile)
	c.readMetalLB(set)
	c.readCilium(set)
}

// SpeaksBGP reports whether there are objects that say whom nodes connect to.
func (c *Cluster) SpeaksBGP() bool { return len(c.bgp.peers) > 0 }

// BGP returns what a node does by BGP, and what is wrong on this node only.
func (c *Cluster) BGP(name string) (bgp.Speaker, diag.List) {
	s := speaking{cluster: c, node: c.Node(name), routers: make(map[string]*bgp.Router), ids: make(map[string]ir.Origin)}
	s.out.Node = name
	for _, p := range c.bgp.peers {
		if p.nodes(s.node) {
			s.add(p)
		}
	}
	for _, vrf := range slices.Sorted(maps.Keys(s.routers)) {
		r := s.routers[vrf]
		if !r.ID.IsValid() {
			r.ID = s.node.routerID()
		}
		slices.SortFunc(r.Neighbors, func(a, b bgp.Neighbor) int {
			return cmp.Or(a.Address.Compare(b.Address), cmp.Compare(a.Interface, b.Interface))
		})
		s.out.Routers = append(s.out.Routers, *r)
	}
	s.profiles()
	s.withheld()
	s.diags.Sort()
	return s.out, s.diags
}

// speaking is one run of [Cluster.BGP].
type speaking struct {
	cluster *Cluster
	node    *Node
	routers map[string]*bgp.Router
	ids     map[string]ir.Origin // which object gave a router its ID, by VRF
	large   map[netip.Prefix]bool
	count   int
	out     bgp.Speaker
	diags   diag.List
}

// add makes a neighbor of a peer, unless it contradicts one that comes before.
func (s *speaking) add(from *peer) {
	p := *from
	if p.override != nil {
		p.override(s.node.Name, &p)
	}
	if p.asn == 0 {
		s.say(diag.BadBGP, p.Origin, "the node's own AS number is not given: the neighbor is left out")
		return
	}
	if s.count++; s.count > maxNeighbors {
		if s.count == maxNeighbors+1 {
			s.say(diag.BGPConflict, p.Origin, fmt.Sprintf("a node has at most %d neighbors: this one and all after it are left out", maxNeighbors))
		}
		return
	}
	if p.vrf == "default" {
		p.vrf = "" // what FRR calls the one without a VRF
	}
	if s.isOwn(p.Address) {
		s.say(diag.BGPConflict, p.Origin, fmt.Sprintf("%v is the node's own address: the neighbor is left out", p.Address))
		return
	}
	if p.LocalAS != 0 && (p.LocalAS == p.Remote || p.Remote == p.asn || p.Remote == 0 && !p.External) {
		// FRR's peer_local_as_set: "Local-AS allowed only for EBGP peers".
		s.say(diag.BGPUndone, p.Origin, fmt.Sprintf("FRR takes no local AS number (%d) with a neighbor of the node's own AS or of that number: the neighbor is left out", p.LocalAS))
		return
	}
	if p.Source.IsValid() && p.Address.IsValid() && p.Source.Is4() != p.Address.Is4() {
		s.say(diag.BadBGP, p.Origin, fmt.Sprintf("the source address %v is of another family than the neighbor %v: it is left out", p.Source, p.Address))
		p.Source = netip.Addr{}
	}
	r := s.routers[p.vrf]
	if r == nil {
		r = &bgp.Router{ASN: p.asn, VRF: p.vrf}
		s.routers[p.vrf] = r
	}
	if r.ASN != p.asn {
		s.say(diag.BGPConflict, p.Origin, fmt.Sprintf("the node's router has the AS number %d by an object that comes before, and this one wants %d: the neighbor is left out", r.ASN, p.asn))
		return
	}
	for i := range r.Neighbors {
		if n := &r.Neighbors[i]; n.Address == p.Address && n.Interface == p.Interface {
			s.say(diag.BGPConflict, p.Origin, fmt.Sprintf("%s has the same neighbor and comes before: this one is left out", n.Origin.Object()))
			return
		}
	}
	s.identify(r, &p)
	n := p.Neighbor
	n.Routes = s.routes(&p)
	r.Neighbors = append(r.Neighbors, n)
}

// isOwn reports whether an address is the node's.
func (s *speaking) isOwn(a netip.Addr) bool {
	return a.IsValid() && s.node.Object != nil && slices.Contains(objects.NodeIPs(s.node.Object, nil), a)
}

// identify gives a router the identifier that a peer names, if none before it did.
func (s *speaking) identify(r *bgp.Router, p *peer) {
	switch {
	case !p.routerID.IsValid() || r.ID == p.routerID:
	case r.ID.IsValid():
		s.say(diag.BGPConflict, p.Origin, fmt.Sprintf("the node's router has the identifier %s by %s, and this object wants %s: that one is used", r.ID, s.ids[p.vrf].Object(), p.routerID))
	default:
		r.ID, s.ids[p.vrf] = p.routerID, p.Origin
	}
}

func (s *speaking) say(code diag.Code, at ir.Origin, text string) {
	s.diags.Add(code, at, "node "+s.node.Name+": "+text)
}

// routes returns what the node tells a neighbor.
func (s *speaking) routes(p *peer) []bgp.Route {
	made := routeSet{speaking: s, by: make(map[netip.Prefix]*bgp.Route), told: make(map[*advert]bool)}
	for _, f := range p.Families {
		for _, a := range p.adverts[f] {
			if !a.nodes(s.node) {
				continue
			}
			for _, x := range a.selected {
				if ir.FamilyOf(x.address.Addr) == f && x.service.Refuses(s.node, x.address) == "" {
					made.add(a, x.prefix, bgp.Reason{Service: x.service.Name.String(), Addr: x.address.Addr, By: a.by})
				}
			}
			if a.podCIDRs {
				for _, prefix := range s.node.podCIDRs(f) {
					if prefix.Bits() < shortest(familyIndex(f)) {
						s.tooLarge(prefix)
						continue
					}
					made.add(a, prefix, bgp.Reason{Addr: prefix.Addr(), By: a.by})
				}
			}
		}
	}
	if made.over > 0 {
		s.say(diag.BGPConflict, p.Origin, fmt.Sprintf("the neighbor is told %d routes at most: %d are left out", maxRoutes, made.over))
	}
	out := make([]bgp.Route, 0, len(made.by))
	for _, prefix := range slices.SortedFunc(maps.Keys(made.by), comparePrefixes) {
		r := made.by[prefix]
		slices.SortFunc(r.Reasons, compareReasons)
		r.Reasons = slices.Compact(r.Reasons)
		r.Communities = r.Communities[:min(len(r.Communities), maxCommunities)]
		out = append(out, *r)
	}
	return out
}

// tooLarge says once that a range of pods is not announced.
func (s *speaking) tooLarge(prefix netip.Prefix) {
	if s.large[prefix] {
		return
	}
	if s.large == nil {
		s.large = make(map[netip.Prefix]bool)
	}
	s.large[prefix] = true
	at := ir.Origin{Kind: "Node", Name: s.node.Name}.At("spec.podCIDRs")
	s.say(diag.BadBGP, at, fmt.Sprintf("%s is announced to no neighbor: a network of that size is not the pods' of one node", prefix))
}

// familyIndex returns 0 for IPv4 and 1 for IPv6.
func familyIndex(f ir.Family) int {
	if f == ir.IPv4 {
		return 0
	}
	return 1
}

// routeSet collects the routes of a neighbor.
type routeSet struct {
	*speaking
	by   map[netip.Prefix]*bgp.Route
	told map[*advert]bool // advertisements of which a conflict was said
	over int
}

// add adds what one advertisement says of a prefix: communities of several add up, and the
// highest preference wins.
func (m *routeSet) add(a *advert, prefix netip.Prefix, why bgp.Reason) {
	r := m.by[prefix]
	if r == nil {
		if len(m.by) >= maxRoutes {
			m.over++
			return
		}
		r = &bgp.Route{Prefix: prefix, LocalPref: a.localPref}
		m.by[prefix] = r
	}
	if r.LocalPref != a.localPref && !m.told[a] {
		m.told[a] = true
		m.say(diag.BGPConflict, a.origin, fmt.Sprintf("another advertisement of %s has another local preference: the highest, %d, is used", prefix, max(r.LocalPref, a.localPref)))
	}
	r.LocalPref = max(r.LocalPref, a.localPref)
	r.Communities = bgp.Merge(r.Communities, a.communities)
	r.Reasons = append(r.Reasons, why)
}

// comparePrefixes orders by address, the larger network first.
func comparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// profiles are those that the neighbors use.
func (s *speaking) profiles() {
	used := make(map[string]bool)
	for _, r := range s.out.Routers {
		for _, n := range r.Neighbors {
			used[n.BFD] = true
		}
	}
	delete(used, "")
	for _, name := range slices.Sorted(maps.Keys(used)) {
		s.out.Profiles = append(s.out.Profiles, s.cluster.bgp.profiles[name])
	}
}

// withheld says which addresses of load balancers the node announces to no one, and why.
func (s *speaking) withheld() {
	type key struct {
		service string
		addr    netip.Addr
	}
	announced, wanted, elsewhere := make(map[key]bool), make(map[key]bool), make(map[key]bool)
	for _, r := range s.out.Routers {
		for _, n := range r.Neighbors {
			for _, route := range n.Routes {
				for _, why := range route.Reasons {
					announced[key{why.Service, why.Addr}] = true
				}
			}
		}
	}
	for _, p := range s.cluster.bgp.peers {
		for _, f := range p.Families {
			for _, a := range p.adverts[f] {
				for _, x := range a.selected {
					k := key{x.service.Name.String(), x.address.Addr}
					if p.nodes(s.node) && a.nodes(s.node) {
						wanted[k] = true
					} else {
						elsewhere[k] = true
					}
				}
			}
		}
	}
	for _, service := range s.cluster.services {
		for _, a := range service.Addresses {
			k := key{service.Name.String(), a.Addr}
			if a.Kind != LoadBalancerIP || announced[k] {
				continue
			}
			why := service.Refuses(s.node, a)
			switch {
			case !wanted[k] && !elsewhere[k]:
				why = "no advertisement selects it for a neighbor"
			case !wanted[k]:
				why = "no neighbor of this node is told by an advertisement for this node"
			case why == "":
				why = "the neighbors do not take routes of " + ir.FamilyOf(a.Addr).String()
			}
			s.out.Withheld = append(s.out.Withheld, bgp.Withheld{Service: service.Name.String(), Addr: a.Addr, Why: why})
		}
	}
}

// routerID returns the identifier of a node's router: its first IPv4 address, or one that is
// derived from its name.
func (n *Node) routerID() netip.Addr {
	if n.Object != nil {
		for _, a := range objects.NodeIPs(n.Object, nil) {
			if a.Is4() {
				return a
			}
		}
	}
	h := fnv.New32a()
	h.Write([]byte(n.Name))
	sum := h.Sum32() | 1
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

// podCIDRs returns the node's ranges of pods of a family.
func (n *Node) podCIDRs(f ir.Family) (out []netip.Prefix) {
	if n.Object == nil {
		return nil
	}
	texts := n.Object.Spec.PodCIDRs
	if len(texts) == 0 && n.Object.Spec.PodCIDR != "" {
		texts = []string{n.Object.Spec.PodCIDR}
	}
	for _, text := range texts {
		if p, err := netip.ParsePrefix(text); err == nil && ir.FamilyOf(p.Addr()) == f {
			out = append(out, p.Masked())
		}
	}
	return out
}
