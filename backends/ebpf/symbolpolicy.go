package ebpf

import (
	"cmp"
	"net/netip"
	"slices"
	"unicode/utf8"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// policySymbols are the symbols of policies by entry keys, because the positions
// of the entries are known only at the end.
type policySymbols struct {
	policy *ir.Policy
	pods   []namedEntry
	// nodeProfile is the profile of the node itself, or nil.
	nodeProfile *ir.Profile
	classes     []namedEntry
	// sets are the address sets of each class.
	sets map[uint32]*resolve.Class
	// rules maps a set to the origin of the first rule that names it.
	rules map[string]*ir.Origin
	names map[netip.Addr]ir.Peer
}

// namedEntry is an entry of pod with its profile, or an entry of class with its
// class and, for a single address, the name of its owner.
type namedEntry struct {
	key     []byte
	name    string
	profile *ir.Profile
	class   uint32
	at      int
}

func newPolicySymbols(p *ir.Policy) policySymbols {
	s := policySymbols{policy: p, sets: make(map[uint32]*resolve.Class), rules: make(map[string]*ir.Origin), names: make(map[netip.Addr]ir.Peer, len(p.Peers))}
	for _, peer := range p.Peers {
		s.names[peer.Address] = peer
	}
	for i := range p.Profiles {
		for _, d := range ir.Directions() {
			for _, t := range p.Profiles[i].Tiers(d) {
				for j := range t.Rules {
					s.addRule(&t.Rules[j])
				}
			}
		}
	}
	return s
}

func (s *policySymbols) addRule(r *ir.Rule) {
	for _, id := range r.Sets() {
		if s.rules[id] == nil {
			s.rules[id] = &r.Origin
		}
	}
}

func (s *policySymbols) pod(key layout.Address, profile *ir.Profile, pod *ir.Pod) {
	s.pods = append(s.pods, namedEntry{key: key[:], name: pod.Namespace + "/" + pod.Name, profile: profile})
}

func (s *policySymbols) class(key layout.PrefixKey, n resolve.Network) {
	e := namedEntry{key: key.Append(nil), class: n.Class}
	if peer, known := s.names[n.Prefix.Addr()]; known && n.Prefix.IsSingleIP() {
		e.name = peer.String()
	}
	s.classes = append(s.classes, e)
}

// finishPolicies adds the symbols of policies, sorted by entry.
func (b *symbolBuilder) finishPolicies(tables *[layout.NumMaps]Map) {
	order(b.pods, &tables[layout.Pods])
	profiles := make(map[*ir.Profile]bool)
	for _, e := range b.pods {
		if !profiles[e.profile] {
			profiles[e.profile] = true
			b.add(profileSymbol, uint32(e.at), e.profile.ID, originOf(e.profile))
		}
		b.add(podSymbol, uint32(e.at), e.name, &ir.Origin{})
	}
	if p := b.nodeProfile; p != nil {
		b.add(nodeProfileSymbol, 0, p.ID, originOf(p))
	}
	order(b.classes, &tables[layout.Classes])
	classes := map[uint32]bool{0: true}
	for _, e := range b.classes {
		if !classes[e.class] {
			classes[e.class] = true
			name, origin := b.describe(b.sets[e.class])
			b.add(classSymbol, uint32(e.at), name, origin)
		}
		if e.name != "" {
			b.add(peerSymbol, uint32(e.at), e.name, &ir.Origin{})
		}
	}
}

// order determines the position of each entry and sorts by it.
func order(list []namedEntry, m *Map) {
	for i := range list {
		list[i].at, _ = m.find(list[i].key)
	}
	slices.SortFunc(list, func(a, b namedEntry) int { return cmp.Compare(a.at, b.at) })
}

// maxClassName bounds the name of a class: there may be thousands of classes with
// thousands of sets each.
const maxClassName = 160

// describe returns the name of a class, made of its first sets, and the origin of
// the rule that it results from.
func (s *policySymbols) describe(class *resolve.Class) (string, *ir.Origin) {
	name, origin, first := "", &ir.Origin{}, true
	for id := range class.Sets() {
		if first && s.rules[id] != nil {
			origin = s.rules[id]
		}
		if !first {
			name += " + "
		}
		first = false
		// An ID may be as long as a policy object.
		if name += id[:min(len(id), maxClassName+1)]; len(name) > maxClassName {
			return cutName(name, maxClassName) + "...", origin
		}
	}
	return name, origin
}

// cutName returns the first n bytes, or up to three less to keep runes whole.
func cutName(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// originOf returns the first policy that the rules or the isolation of a profile
// come from.
func originOf(p *ir.Profile) *ir.Origin {
	for _, d := range ir.Directions() {
		tiers := p.Tiers(d)
		for i := range tiers {
			switch t := &tiers[i]; {
			case len(t.Isolating) > 0:
				return &t.Isolating[0]
			case len(t.Rules) > 0:
				return &t.Rules[0].Origin
			}
		}
	}
	return &ir.Origin{}
}
