package live

import "github.com/planec/planec/backends/xtables"

// Empty reports whether the state has no objects of planec.
func (s *State) Empty() bool {
	for _, family := range []tables{s.ipv4, s.ipv6} {
		for _, t := range family {
			if len(t.chains)+len(t.jumps) > 0 {
				return false
			}
		}
	}
	return len(s.sets) == 0
}

// Settled returns the state without the temporary sets of an apply: the state to
// which a rollback returns.
func (s *State) Settled() *State {
	return s.Without(func(set string) bool {
		switch xtables.SetRole(set).Role {
		case xtables.Aside, xtables.JournalKeys, xtables.JournalMarks:
			return true
		}
		return false
	})
}
