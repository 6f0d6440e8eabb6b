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
	// resolved is nil if policies select no pod of the family.
	resolved *resolve.Policy
	// hosts and networks map an address to its class.
	hosts, networks set
	// subjects map a pod to its chain, by direction.
	subjects [2]set
	// pods are the keys of subjects as sets, for packets in the opposite direction.
	pods [2]set
	// rows map a class to its row, one map for each profile and direction.
	rows []set
	// wanted marks the rows that a chain or a map refers to.
	wanted []bool
	// node is the resolved profile of the node itself, or nil.
	node *resolve.Profile
	// others is the key for every class that a map does not list. It is the ID
	// of no class.
	others uint32
	// part is the part that is written, or nil for everything.
	part *policyPart
}

// direction holds the words that differ between egress and ingress rules.
type direction struct {
	ir ir.Direction
	// chain is the base chain at the forward hook, with its priority: after
	// every refusal of the Service chains.
	chain, priority string
	// prefix starts the names of the profiles' chains and maps.
	prefix string
	// peerChain is the chain that finds the class of the peer.
	peerChain string
	// subject and peer are the header fields with the pod's and the peer's address.
	subject, peer string
	// pods is the role of the map from pods to chains.
	pods Role
}

// The map of a direction's pods has the name of the direction, and the set of
// their addresses adds podsWord. policyInput is egress to the
// node itself, policyOwn what the node sends to its pods, and nodeInput and nodeOutput are
// the policies of the node.
const (
	podsWord    = "-pods"
	policyInput = "policy-input"
	policyOwn   = "policy-own"
	nodeInput   = "policy-node-ingress"
	nodeOutput  = "policy-node-egress"
)

// directions are in the order of [ir.Directions].
var directions = [...]direction{
	{ir.Egress, "policy-egress", afterFilter, "out-", "peer-destination", "saddr", "daddr", EgressPods},
	{ir.Ingress, "policy-ingress", afterEgress, "in-", "peer-source", "daddr", "saddr", IngressPods},
}

func newPolicySets(f family, p *ir.Program, resolved *resolve.Policy, part *policyPart) policySets {
	x := policySets{
		part:     part,
		hosts:    set{kind: "map", name: "hosts", of: "type " + f.addr + " : classid"},
		networks: set{kind: "map", name: "networks", of: "type " + f.addr + " : classid", flags: "interval"},
	}
	for i, d := range directions {
		x.subjects[i] = set{kind: "map", name: d.ir.String(), of: "type " + f.addr + " : verdict"}
		x.pods[i] = set{kind: "set", name: d.ir.String() + podsWord, of: "type " + f.addr}
	}
	if selectsAny(&p.Policy, f.ir) {
		x.resolved, x.others = resolved, otherClasses(resolved.Classes)
		if i := slices.IndexFunc(resolved.Profiles, func(p resolve.Profile) bool { return p.Node }); i >= 0 {
			x.node = &resolved.Profiles[i]
		}
	}
	return x
}

// otherClasses returns the highest number that is not the ID of a class: that
// of "root" unless hashes collide. Classes are sorted.
func otherClasses(classes []resolve.Class) uint32 {
	id := uint32(1<<32 - 1)
	for i := len(classes) - 1; i >= 0 && classes[i].ID == id; i-- {
		id--
	}
	return id
}

// selectsAny reports whether policies select a pod with an address of the family, or
// the node, which may have one.
func selectsAny(p *ir.Policy, f ir.Family) bool {
	return slices.ContainsFunc(p.Profiles, func(x ir.Profile) bool {
		return x.Node || slices.ContainsFunc(x.Pods, func(pod ir.Pod) bool { return len(ir.AddrsOf(f, pod.Addresses)) > 0 })
	})
}

func (x *policySets) sets() []*set {
	list := []*set{&x.hosts, &x.networks, &x.subjects[0], &x.subjects[1], &x.pods[0], &x.pods[1]}
	for i := range x.rows {
		list = append(list, &x.rows[i])
	}
	return list
}

// policies fills the maps. The set of maps and chains depends on the policies
// and on the families of the node's pods, so that a pod that comes or goes
// changes only elements.
func (t *table) policies() {
	x := &t.policy
	if x.resolved == nil {
		return
	}
	for i := range x.resolved.Profiles {
		profile := &x.resolved.Profiles[i]
		for k, d := range directions {
			if tab := profile.Table(d.ir); tab != nil {
				if !profile.Node {
					x.subjects[k].always, x.pods[k].always = true, true
				}
				x.hosts.always = x.hosts.always || namesPeers(profile.Tiers(d.ir))
				if !x.has(profile, d.ir) {
					continue
				}
				if x.hasChain(profile, d.ir) {
					t.subjects(&x.subjects[k], profile.Profile, d)
					if x.resolved.Denies(tab) {
						t.answering(&x.pods[k], profile.Profile)
					}
				}
				t.rowsOf(profile.Profile, tab, d)
			}
		}
	}
	x.want()
	if x.hosts.always {
		t.classes()
	}
}

// subjects maps the profile's pods to its chain.
func (t *table) subjects(m *set, p *ir.Profile, d direction) {
	for i := range p.Pods {
		pod := &p.Pods[i]
		for _, a := range ir.AddrsOf(t.ir, pod.Addresses) {
			b := t.peerComment(a.AppendTo(m.next()), pod.Namespace, pod.Name)
			m.end(append(b, " : goto "+d.prefix+p.ID...))
		}
	}
}

// answering adds the profile's pods to a set; something is denied to them.
func (t *table) answering(pods *set, p *ir.Profile) {
	for i := range p.Pods {
		for _, a := range ir.AddrsOf(t.ir, p.Pods[i].Addresses) {
			pods.end(a.AppendTo(pods.next()))
		}
	}
}

// rowsOf fills the map of one profile and direction. The row that most classes
// have is one element: a rule about every pod of the cluster needs no element
// for each class, and a change of that row changes no rule.
func (t *table) rowsOf(p *ir.Profile, tab *resolve.Table, d direction) {
	x := &t.policy
	if !namesPeers(p.Tiers(d.ir)) {
		return
	}
	m := set{kind: "map", name: d.prefix + p.ID, of: "type classid : verdict", always: true}
	others, rows := x.elements(p, tab, d.ir)
	for _, r := range append(slices.Clip(rows), resolve.ClassRow{Class: x.others, Row: others}) {
		m.end(append(appendHandle(m.next(), r.Class), " : goto "+rowChain(&x.resolved.Rows[r.Row])...))
	}
	x.rows = append(x.rows, m)
}

// has reports whether one direction of a profile is written.
func (x *policySets) has(p *resolve.Profile, d ir.Direction) bool {
	return x.part == nil || x.part.faces[face{p.ID, d}] != nil
}

// hasChain reports whether its chain is written, and what leads to it.
func (x *policySets) hasChain(p *resolve.Profile, d ir.Direction) bool {
	return x.has(p, d) && (x.part == nil || !x.part.faces[face{p.ID, d}].mapped)
}

// elements returns the row of all other classes, and the classes whose rows are written.
func (x *policySets) elements(p *ir.Profile, t *resolve.Table, d ir.Direction) (others int, rows []resolve.ClassRow) {
	if x.part == nil {
		return t.Compact()
	}
	f := x.part.faces[face{p.ID, d}]
	return f.others, f.rows
}

// want marks the rows that are written.
func (x *policySets) want() {
	if x.part != nil {
		x.wanted = x.part.rows
		return
	}
	x.wanted = make([]bool, len(x.resolved.Rows))
	for i := range x.resolved.Profiles {
		for _, d := range ir.Directions() {
			if p := &x.resolved.Profiles[i]; p.Table(d) != nil {
				rowsOf(x.resolved, p, p.Table(d), d, func(row int) { x.wanted[row] = true })
			}
		}
	}
}

// judgesOwn reports whether packets from the node to its pods are judged or logged.
func (x *policySets) judgesOwn() bool {
	return x.resolved != nil && slices.ContainsFunc(x.resolved.Profiles, func(p resolve.Profile) bool {
		return p.Ingress != nil && p.Ingress.Own >= 0
	})
}

// namesPeers reports whether the class of the peer can matter, now or after
// other pods come.
func namesPeers(tiers []ir.Tier) bool {
	for i := range tiers {
		for j := range tiers[i].Rules {
			if r := &tiers[i].Rules[j]; !r.AnyPeer && len(r.Peers) > 0 || len(r.NotPeers) > 0 {
				return true
			}
		}
	}
	return false
}

// classes fills hosts and networks.
func (t *table) classes() {
	x := &t.policy
	peers, hosts, networks := t.program.Policy.Peers, x.resolved.Hosts, x.resolved.Networks
	if x.part != nil {
		x.networks.always = len(resolve.Ranges(networks, t.ir)) > 0
		hosts, networks = x.part.hosts, x.part.networks
	}
	for _, h := range hosts {
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
	for _, r := range resolve.Ranges(networks, t.ir) {
		b := append(appendRange(x.networks.next(), r.First, r.Last), " : "...)
		x.networks.end(appendHandle(b, r.Class))
	}
}

// peerComment appends the name of a pod, or of a node, which has no namespace.
func (t *table) peerComment(b []byte, namespace, name string) []byte {
	if !t.comments {
		return b
	}
	words := string(backends.AppendName(nil, ir.ServicePort{Namespace: namespace, Name: name}))
	return append(b, ` comment "`+strings.TrimPrefix(words, "/")+`"`...)
}

// appendRange writes a range as nft lists it: as a prefix if it is one.
func appendRange(b []byte, first, last netip.Addr) []byte {
	for bits := range first.BitLen() + 1 {
		p := netip.PrefixFrom(first, bits)
		if p.Masked() == p && ir.LastAddr(p) == last {
			return appendPrefix(b, p)
		}
	}
	return last.AppendTo(append(first.AppendTo(b), '-'))
}
