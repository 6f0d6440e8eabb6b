package policy

import (
	"cmp"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/identity"
)

// Lowered is what lowering the policies of one node can take from the time before: profiles
// whose policies stayed the same, in the same memory. It holds as much as the node's policies have, and nothing of policies of other
// dialects, whose peers may depend on anything. The zero value is ready to use; it is not safe for
// concurrent use.
type Lowered struct {
	cast *cast
	node string
	// chosen has the policies of each pod of the node.
	chosen map[*pod]chosen
	// profiles are those of the last time, by the keys of their groups.
	profiles map[string]*profile
	peers    neededPeers
}

// chosen are the policies that select a pod, as the indexes of the last time found them.
type chosen struct {
	network, cluster *policyIndex
	policies         []*policy
	key              string
}

// profile is a lowered profile.
type profile struct {
	ir.Profile
	policies []*policy
	pods     []*pod
	uses     []use
	cost     int
	// alone is the ID if no other profile wants it.
	alone string
}

// Lower is [Model.Lower], with what is the same as the last time.
func (l *Lowered) Lower(m *Model, node string, onDeny ir.Refusal, hash identity.Hash, p *ir.Program, diags *diag.List) {
	if l.cast != m.cast || l.node != node || m.foreign != nil {
		*l = Lowered{cast: m.cast, node: node}
	}
	groups := l.groups(m, node)
	if policies := m.foreign.onNode(node); len(policies) > 0 {
		groups = append(groups, m.nodeGroup(node, policies))
	}
	l.name(groups, hash)
	profiles := l.profilesOf(m, groups, diags)
	if len(profiles) == 0 {
		l.peers = neededPeers{}
		return
	}
	sum, dearest := 0, 0
	p.Policy.Profiles = make([]ir.Profile, 0, len(profiles)+1)
	for _, one := range profiles {
		p.Policy.Profiles = append(p.Policy.Profiles, one.Profile)
		sum, dearest = sum+one.cost, max(dearest, one.cost)
	}
	slices.SortFunc(p.Policy.Profiles, func(a, b ir.Profile) int { return cmp.Compare(a.ID, b.ID) })
	p.Policy.OnDeny = onDeny
	if p.Policy.Redirects() {
		p.Policy.OnRedirect = m.onRedirect
	}
	uses := usesOf(profiles, len(l.peers.sets))
	p.Policy.Peers = l.peers.of(uses, m.cast)
	p.Policy.AddressSets = make([]ir.AddressSet, len(uses))
	for i, u := range uses {
		p.Policy.AddressSets[i] = *u.set
	}
	slices.SortFunc(p.Policy.AddressSets, func(a, b ir.AddressSet) int { return cmp.Compare(a.ID, b.ID) })
	if dearest > maxProfileRowPorts || sum > maxNodeRowPorts {
		withinNode(p, diags)
	}
}

// name gives the groups their IDs, in their order. A group whose ID no other has needs no look
// at the others: it has the ID of the last time.
func (l *Lowered) name(groups []*group, hash identity.Hash) {
	taken, alone := make(map[string]bool, len(groups)), true
	for _, g := range groups {
		if one := l.profiles[g.key]; one != nil {
			g.id = one.alone
		} else {
			g.id = profileID(originsOf(g.policies, g.foreign), g.key, &identity.Names{Hash: hash})
		}
		g.alone = g.id
		alone, taken[g.id] = alone && !taken[g.id], true
	}
	if alone {
		return
	}
	names := identity.Names{Hash: hash}
	for _, g := range groups {
		g.id = profileID(originsOf(g.policies, g.foreign), g.key, &names)
	}
}

// usesOf returns the sets of all profiles, each once, in the order in which they come; there are
// about so many.
func usesOf(profiles []*profile, about int) []use {
	have, out := make(map[string]bool, about+1), make([]use, 0, about+1)
	for _, one := range profiles {
		for _, u := range one.uses {
			if !have[u.set.ID] {
				have[u.set.ID] = true
				out = append(out, u)
			}
		}
	}
	return out
}

// profilesOf lowers the groups that have tiers. A profile of the last time is used again if
// the same policies select the same pods.
func (l *Lowered) profilesOf(m *Model, groups []*group, diags *diag.List) []*profile {
	kept, tiers := make(map[string]*profile, len(groups)), m.tierOrder()
	var out []*profile
	for _, g := range groups {
		one := l.profiles[g.key]
		if one == nil || one.ID != g.id || !slices.Equal(one.policies, g.policies) || !slices.Equal(one.pods, g.pods) {
			b := &builder{model: m, node: l.node, tiersInOrder: tiers, have: make(map[string]bool), diags: diags}
			one = &profile{Profile: b.profile(g), policies: g.policies, pods: g.pods, uses: b.uses, alone: g.alone}
			one.cost = costOf(&one.Profile, one.uses)
		}
		if kept[g.key] = one; len(one.Ingress)+len(one.Egress) > 0 {
			out = append(out, one)
		}
	}
	if l.profiles = kept; m.foreign != nil {
		l.profiles = nil
	}
	return out
}

// selecting returns the policies of Kubernetes that apply to the pod, in the order of
// evaluation within each tier, and the text that they make of a group's key.
func (l *Lowered) selecting(m *Model, p *pod) (policies []*policy, key string) {
	network := m.networkIndex[p.namespace.name]
	if c, known := l.chosen[p]; known && c.network == network && c.cluster == m.clusterIndex {
		return c.policies, c.key
	}
	policies = m.selecting(p)
	key = groupKey(policies, p)
	if l.chosen == nil {
		l.chosen = make(map[*pod]chosen, len(m.byNode[l.node]))
	}
	l.chosen[p] = chosen{network, m.clusterIndex, policies, key}
	return policies, key
}

// neededPeers are the names of the addresses of some sets.
type neededPeers struct {
	sets []*ir.AddressSet
	list []ir.Peer
	// names is a buffer, with the name of each address of the cast.
	names []*ir.Peer
}

// of returns the names of the sets' addresses, sorted by address. An address of several has
// the name of a pod, or else the last one.
func (n *neededPeers) of(uses []use, c *cast) []ir.Peer {
	sets := make([]*ir.AddressSet, len(uses))
	for i, u := range uses {
		sets[i] = u.set
	}
	if n.list != nil && slices.Equal(sets, n.sets) {
		return n.list
	}
	if len(n.names) != len(c.addresses) {
		n.names = make([]*ir.Peer, len(c.addresses))
	}
	clear(n.names)
	names, count := n.names, 0
	for _, u := range uses {
		for i := range u.names {
			name := &u.names[i]
			have := names[name.index]
			if have == nil {
				count++
			}
			if have == nil || have.Namespace == "" {
				names[name.index] = &name.Peer
			}
		}
	}
	n.sets = sets
	if !c.shared && n.same(names, count) {
		return n.list
	}
	n.list = make([]ir.Peer, 0, count)
	for _, name := range names {
		if name != nil {
			n.list = append(n.list, *name)
		}
	}
	return n.list
}

// same reports whether the list has these names already, where each address has one.
func (n *neededPeers) same(names []*ir.Peer, count int) bool {
	if len(n.list) != count {
		return false
	}
	at := 0
	for _, name := range names {
		if name == nil {
			continue
		}
		if n.list[at].Address != name.Address {
			return false
		}
		at++
	}
	return true
}
