package live

import "strings"

// Empty reports whether there is nothing of ours.
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

// Settled is the state without the sets that an apply makes on its way: what there is
// to go back to.
func (s *State) Settled() *State {
	return s.Without(func(set string) bool { return strings.HasPrefix(set, asidePrefix) })
}
