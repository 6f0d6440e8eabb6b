package live

import (
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtables"
)

// State is what planec has in both families and in ipset.
type State struct {
	ipv4, ipv6 tables
	sets       sets
}

// Parse reads the files of an artifact.
func Parse(a backends.Artifact) (*State, error) {
	v4, err := parseFamily("iptables", a.File)
	if err != nil {
		return nil, err
	}
	v6, err := parseFamily("ip6tables", a.File)
	if err != nil {
		return nil, err
	}
	s, err := parseSets(a.File("ipset.rules"))
	if err != nil {
		return nil, err
	}
	for _, family := range []tables{v4, v6} {
		if err := family.used(s); err != nil {
			return nil, err
		}
	}
	return &State{ipv4: v4, ipv6: v6, sets: s}, nil
}

// Nothing returns the state of a kernel without objects of planec.
func Nothing() *State {
	return &State{ipv4: tables{}, ipv6: tables{}, sets: sets{}}
}

// Set is one of a state's sets.
type Set struct {
	Name string // the ipset's name
	IPv6 bool   // whether the set is of the IPv6 family
	// Members are the elements with their options as ipset prints them, sorted.
	Members []string
}

// Sets returns the sets with one of the roles, sorted by name.
func (s *State) Sets(roles ...xtables.Role) []Set {
	var out []Set
	for _, name := range sortedKeys(s.sets) {
		role := xtables.SetRole(name)
		if slices.Contains(roles, role.Role) {
			out = append(out, Set{Name: name, IPv6: role.IPv6, Members: sortedKeys(s.sets[name].members)})
		}
	}
	return out
}

// HasChain reports whether a chain with the role exists.
func (s *State) HasChain(role xtables.Role) bool {
	for _, family := range []tables{s.ipv4, s.ipv6} {
		for _, t := range family {
			for chain := range t.chains {
				if xtables.ChainRole(chain) == role {
					return true
				}
			}
		}
	}
	return false
}

// Only returns the state without rules, and with only the sets that keep selects.
func (s *State) Only(keep func(set string) bool) *State {
	out := Nothing()
	out.sets = s.Without(func(set string) bool { return !keep(set) }).sets
	return out
}

// Without returns the state without some sets, so that a plan neither changes nor
// removes them.
func (s *State) Without(others func(set string) bool) *State {
	out := &State{ipv4: s.ipv4, ipv6: s.ipv6, sets: make(sets, len(s.sets))}
	for name, set := range s.sets {
		if !others(name) {
			out.sets[name] = set
		}
	}
	return out
}

// Plan turns one state into another. Its texts are passed to the tools in this
// order: new sets, the rules of both families, obsolete sets.
type Plan struct {
	setsBefore, ipv4, ipv6, setsAfter []byte
	steps                             []string
	// fromNothing is whether the kernel had no objects of planec.
	fromNothing bool
	// commit updates the held state.
	commit func()
}

// NewPlan compares two states.
func NewPlan(have, want *State) *Plan {
	p := &Plan{fromNothing: have.Empty()}
	var sets, v4, v6 []string
	p.setsBefore, p.setsAfter, sets = changes(have.sets, want.sets)
	p.ipv4, v4 = restore(have.ipv4, want.ipv4)
	p.ipv6, v6 = restore(have.ipv6, want.ipv6)
	for _, s := range sets {
		p.steps = append(p.steps, "ipset: "+s)
	}
	for _, s := range v4 {
		p.steps = append(p.steps, "iptables "+s)
	}
	for _, s := range v6 {
		p.steps = append(p.steps, "ip6tables "+s)
	}
	return p
}

// FromNothing reports whether the plan was made for a kernel without objects of planec.
func (p *Plan) FromNothing() bool { return p.fromNothing }

// Empty reports whether there is nothing to change.
func (p *Plan) Empty() bool { return len(p.steps) == 0 }

// Steps describes the changes, one line each.
func (p *Plan) Steps() []string { return p.steps }
