package random

import (
	"bytes"
	"math/rand/v2"
	"slices"

	"sigs.k8s.io/yaml"
)

// object is an object of Kubernetes, or a part of one, as it is written.
type object = map[string]any

// Set is a cluster with policies.
type Set struct {
	Seed     uint64
	Objects  []object // everything but policies
	Policies []object
	// Ends are pods as namespace/name, node/NAME and ip/ADDRESS.
	Ends []string
}

// Authentication is how rare rules about authentication are: one in so many that allow.
const Authentication = 12

// New makes the set of a seed. authentication is [Authentication], or another number
// for other sets.
func New(seed uint64, authentication int) *Set {
	g := &generator{rand.New(rand.NewPCG(seed, 0x706c616e6563)), authentication}
	s := &Set{Seed: seed}
	g.cluster(s)
	for i := range 1 + g.IntN(5) {
		s.Policies = append(s.Policies, g.policy(i))
	}
	s.leaveOutAuthentication()
	return s
}

// leaveOutAuthentication removes authentication from the rules of a set in which a
// ClusterNetworkPolicy of tier Admin accepts. Kubernetes has it that nothing comes after
// such a rule; in Cilium a rule about authentication of a later tier takes its place
// (pkg/policy/mapstate.go, authPreferredInsert), unless the engine has left it out before
// as one that says the same as another.
func (s *Set) leaveOutAuthentication() {
	if !slices.ContainsFunc(s.Policies, acceptsFirst) {
		return
	}
	for _, p := range s.Policies {
		specs, _ := p["specs"].([]any)
		for _, spec := range append(specs, p["spec"]) {
			rule, _ := spec.(object)
			for _, direction := range []string{"ingress", "egress"} {
				list, _ := rule[direction].([]any)
				for _, r := range list {
					delete(r.(object), "authentication")
				}
			}
		}
	}
}

// acceptsFirst reports whether a policy is of tier Admin and has a rule that accepts.
func acceptsFirst(p object) bool {
	spec, _ := p["spec"].(object)
	if spec["tier"] != "Admin" {
		return false
	}
	for _, direction := range []string{"ingress", "egress"} {
		list, _ := spec[direction].([]any)
		for _, r := range list {
			if r.(object)["action"] == "Accept" {
				return true
			}
		}
	}
	return false
}

// YAML returns the documents of the set, policies last.
func (s *Set) YAML() ([]byte, error) {
	return documents(append(s.Objects[:len(s.Objects):len(s.Objects)], s.Policies...))
}

// PolicyYAML returns the documents of the policies.
func (s *Set) PolicyYAML() ([]byte, error) { return documents(s.Policies) }

func documents(objects []object) ([]byte, error) {
	var out [][]byte
	for _, o := range objects {
		text, err := yaml.Marshal(o)
		if err != nil {
			return nil, err
		}
		out = append(out, bytes.TrimSuffix(text, []byte("\n")))
	}
	return append(bytes.Join(out, []byte("\n---\n")), '\n'), nil
}

// generator is a source of chance.
type generator struct {
	*rand.Rand
	authentication int
}

// oneIn is true once in n times.
func (g *generator) oneIn(n int) bool { return g.IntN(n) == 0 }

// pick returns one of several.
func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

// some returns one to three results of a maker.
func some[T any](g *generator, make func() T) []any {
	var out []any
	for range 1 + g.IntN(3)*g.IntN(2) {
		out = append(out, make())
	}
	return out
}
