package random

import (
	"maps"
	"slices"
)

// Smaller returns sets that lack one policy, or one item of a list or one part of a rule
// in a policy; larger parts are left out first.
func (s *Set) Smaller() []*Set {
	var out []*Set
	for i := range s.Policies {
		out = append(out, s.with(slices.Delete(slices.Clone(s.Policies), i, i+1)))
	}
	for i, p := range s.Policies {
		for _, field := range []string{"spec", "specs"} {
			for _, smaller := range without(p[field], 4) {
				q := maps.Clone(p)
				q[field] = smaller
				policies := slices.Clone(s.Policies)
				policies[i] = q
				out = append(out, s.with(policies))
			}
		}
	}
	return out
}

func (s *Set) with(policies []object) *Set {
	return &Set{Seed: s.Seed, Objects: s.Objects, Policies: policies, Ends: s.Ends}
}

// without returns the values that lack one field or one item, to a depth.
func without(v any, depth int) []any {
	var out []any
	if depth == 0 {
		return nil
	}
	switch v := v.(type) {
	case object:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if slices.Contains(kept, key) {
				continue
			}
			smaller := maps.Clone(v)
			delete(smaller, key)
			out = append(out, smaller)
			for _, part := range without(v[key], depth-1) {
				changed := maps.Clone(v)
				changed[key] = part
				out = append(out, changed)
			}
		}
	case []any:
		for i := range v {
			if len(v) > 1 { // an empty list means something else
				out = append(out, slices.Delete(slices.Clone(v), i, i+1))
			}
			for _, part := range without(v[i], depth-1) {
				changed := slices.Clone(v)
				changed[i] = part
				out = append(out, changed)
			}
		}
	}
	return out
}

// kept are fields without which a policy is another one, or refused.
var kept = []string{"endpointSelector", "podSelector", "subject", "mode", "operator", "key"}
