package nftables

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// policySets are the maps of policies in one family (see doc.go).
type policySets struct {
	// resolved is nil where policies select no pod of the family.
	resolved *resolve.Policy
	// hosts and networks give an address its class.
	hosts, networks set
	// subjects give a pod its chain, by direction.
	subjects [2]set
	// pods are the same addresses, for packets that come from the other end.
	pods [2]set
	// rows give a class its row, one map for each profile and direction.
	rows []set
	// wanted are the rows that a chain or a map names.
	wanted []bool
	// others is the key of a row for every class that a map does not have: no
	// class's ID.
	others uint32
}

// direction is what tells egress and ingress apart in rules.
type direction struct {
	ir ir.Direction
	// chain is the base chain at the forward hook, priority its place there:
	// both come after every refusal of the Service chains.
	chain, priority string
	// prefix starts the names of the profiles' chains and maps.
	prefix string
	// peerChain finds the class of the peer.
	peerChain string
	// subject and peer are the header's fields.
	subject, peer string
	// pods is the role of the map that gives pods their chain.
	pods Role
}

// The map of a direction's pods is named after the direction, the set of their
// addresses with podsWord. policyInput is egress where a packet is for the node.
const (
	podsWord    = "-pods"
	policyInput = "policy-input"
)

// directions are in the order of [ir.Directions].
var directions = [...]direction{
	{ir.Egress, "policy-egress", afterFilter, "out-", "peer-destination", "saddr", "daddr", EgressPods},
	{ir.Ingress, "policy-ingress", afterEgress, "in-", "peer-source", "daddr", "saddr", IngressPods},
}

func newPolicySets(f family, p *ir.Program, resolved *resolve.Policy) policySets {
	x := policySets{
		hosts:    set{kind: "map", name: "hosts", of: "type " + f.addr + " : classid"},
		networks: set{kind: "map", name: "networks", of: "type " + f.addr + " : classid", flags: "interval"},
	}
	for i, d := range directions {
		x.subjects[i] = set{kind: "map", name: d.ir.String(), of: "type " + f.addr + " : verdict"}
		x.pods[i] = set{kind: "set", name: d.ir.String() + podsWord, of: "type " + f.addr}
	}
	if selectsAny(&p.Policy, f.ir) {
		x.resolved, x.wanted, x.others = resolved, make([]bool, len(resolved.Rows)), otherClasses(resolved.Classes)
	}
	return x
}

// otherClasses returns the last number that is no class: that of "root", but by
// an accident of hashing. Classes are sorted.
func otherClasses(classes []resolve.Class) uint32 {
	id := uint32(1<<32 - 1)
	for i := len(classes) - 1; i >= 0 && classes[i].ID == id; i-- {
		id--
	}
	return id
}

// selectsAny reports whether any pod that policies select has an address of the
// family.
func selectsAny(p *ir.Policy, f ir.Family) bool {
	for i := range p.Profiles {
		for _, pod := range p.Profiles[i].Pods {
			if len(ir.AddrsOf(f, pod.Addresses)) > 0 {
				return true
			}
		}
	}
	return false
}

func (x *policySets) sets() []*set {
	list := []*set{&x.hosts, &x.networks, &x.subjects[0], &x.subjects[1], &x.pods[0], &x.pods[1]}
	for i := range x.rows {
		list = append(list, &x.rows[i])
	}
	return list
}

// policies fills the maps. Which maps and chains there are depends on the
// policies and on which families the node's pods have, so a pod that comes or
// goes changes elements.
func (t *table) policies() {
	x := &t.policy
	if x.resolved == nil {
		return
	}
	for i := range x.resolved.Profiles {
		profile := &x.resolved.Profiles[i]
		for k, d := range directions {
			if tab := profile.Table(d.ir); tab != nil {
				x.subjects[k].always, x.pods[k].always = true, true
				t.subjects(&x.subjects[k], &x.pods[k], profile.Profile, d)
				t.rowsOf(profile.Profile, tab, d)
			}
		}
	}
	if x.hosts.always {
		t.classes()
	}
}

// subjects sends the profile's pods to its chain.
func (t *table) subjects(m, pods *set, p *ir.Profile, d direction) {
	for i := range p.Pods {
		pod := &p.Pods[i]
		for _, a := range ir.AddrsOf(t.ir, pod.Addresses) {
			b := t.peerComment(a.AppendTo(m.next()), pod.Namespace, pod.Name)
			m.end(append(b, " : goto "+d.prefix+p.ID...))
			pods.end(a.AppendTo(pods.next()))
		}
	}
}

// rowsOf fills the map of one profile and direction. The row that most classes
// have is one element, so that a rule about every pod of the cluster is no
// element for each class, and which row that is, is no matter of rules.
func (t *table) rowsOf(p *ir.Profile, tab *resolve.Table, d direction) {
	x := &t.policy
	if !namesPeers(p.Tiers(d.ir)) {
		x.wanted[tab.Default] = true
		return
	}
	x.hosts.always = true
	m := set{kind: "map", name: d.prefix + p.ID, of: "type classid : verdict", always: true}
	others, rows := x.resolved.Compact(tab)
	for _, r := range append(slices.Clip(rows), resolve.ClassRow{Class: x.others, Row: others}) {
		x.wanted[r.Row] = true
		m.end(append(appendHandle(m.next(), r.Class), " : goto "+rowChain(&x.resolved.Rows[r.Row])...))
	}
	x.rows = append(x.rows, m)
}

// namesPeers reports whether the class of the peer can matter, now or when
// other pods come.
func namesPeers(tiers []ir.Tier) bool {
	for i := range tiers {
		for j := range tiers[i].Rules {
			if r := &tiers[i].Rules[j]; !r.AnyPeer && len(r.Peers) > 0 {
				return true
			}
		}
	}
	return false
}

// classes fills hosts and networks.
func (t *table) classes() {
	x := &t.policy
	peers := t.program.Policy.Peers
	for _, h := range x.resolved.Hosts {
		// Both are sorted by address.
		for len(peers) > 0 && peers[0].Address.Less(h.Address) {
			peers = peers[1:]
		}
		if ir.FamilyOf(h.Address) != t.ir {
			continue
		}
		b := h.Address.AppendTo(x.hosts.next())
		if len(peers) > 0 && peers[0].Address == h.Address {
			b = t.peerComment(b, peers[0].Namespace, peers[0].Name)
		}
		x.hosts.end(appendHandle(append(b, " : "...), h.Class))
	}
	for _, r := range resolve.Ranges(x.resolved.Networks, t.ir) {
		b := append(appendRange(x.networks.next(), r.First, r.Last), " : "...)
		x.networks.end(appendHandle(b, r.Class))
	}
}

// peerComment names a pod, or a node, which has no namespace.
func (t *table) peerComment(b []byte, namespace, name string) []byte {
	if !t.comments {
		return b
	}
	words := string(backends.AppendName(nil, ir.ServicePort{Namespace: namespace, Name: name}))
	return append(b, ` comment "`+strings.TrimPrefix(words, "/")+`"`...)
}

// appendRange writes a range as nft lists it: as a prefix where it is one.
func appendRange(b []byte, first, last netip.Addr) []byte {
	for bits := range first.BitLen() + 1 {
		p := netip.PrefixFrom(first, bits)
		if p.Masked() == p && ir.LastAddr(p) == last {
			return appendPrefix(b, p)
		}
	}
	return last.AppendTo(append(first.AppendTo(b), '-'))
}
