package engines

import "github.com/planec/planec/engines/random"

// shrink leaves out policies, rules and parts of rules while the two still differ.
func shrink(s *random.Set) *random.Set {
	for {
		smaller := false
		for _, candidate := range s.Smaller() {
			if c, err := compare(candidate); err == nil && len(c.different) > 0 {
				s, smaller = candidate, true
				break
			}
		}
		if !smaller {
			return s
		}
	}
}
