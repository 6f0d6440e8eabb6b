package cli

import (
	"fmt"
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/review/compare"
	"github.com/planec/planec/internal/review/diffreport"
)

// ruleKey identifies one node's rules of one backend.
type ruleKey struct{ node, backend string }

// rules compares the output of backends for the nodes of both sides.
func (d *diffCommand) rules(before, after *diffSide) ([]diffreport.Rules, error) {
	if slices.Equal(d.backends, []string{"none"}) {
		return nil, nil
	}
	names := d.backends
	compiled := len(before.rules)+len(after.rules) > 0
	switch {
	case len(names) > 0:
	case compiled:
		names = backendsOf(append(slices.Clone(before.rules), after.rules...))
		names = slices.DeleteFunc(names, func(name string) bool { return name == podRoutesName })
	default:
		names = []string{"nftables"}
	}
	collected := compare.Rules{Hunks: len(d.backends) > 0 || compiled}
	keys, err := d.ruleKeys(names, before, after)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		a, err := before.ruleSet(k)
		if err != nil {
			return nil, err
		}
		b, err := after.ruleSet(k)
		if err != nil {
			return nil, err
		}
		collected.Add(a, b)
	}
	return collected.List(), nil
}

func backendsOf(list []compare.RuleSet) []string {
	var out []string
	for _, r := range list {
		if !slices.Contains(out, r.Backend) {
			out = append(out, r.Backend)
		}
	}
	return out
}

// ruleKeys returns the nodes and backends to compare: those of compiled
// rules, every node of manifests, and those in --node and --backend.
func (d *diffCommand) ruleKeys(names []string, before, after *diffSide) ([]ruleKey, error) {
	if _, err := registry.Select(backends.DefaultOptions(), names...); err != nil {
		return nil, inputError(err)
	}
	if slices.Contains(names, "all") {
		names = registry.Names()
	}
	var nodes []string
	for _, s := range []*diffSide{before, after} {
		for _, r := range s.rules {
			nodes = append(nodes, r.Node)
		}
		if s.loaded != nil && len(before.rules) != 1 && len(after.rules) != 1 {
			nodes = append(nodes, s.loaded.cluster.Nodes()...)
		}
	}
	if d.input.nodeName != "" {
		nodes = []string{d.input.nodeName}
	}
	slices.Sort(nodes)
	var out []ruleKey
	for _, node := range slices.Compact(nodes) {
		for _, backend := range names {
			out = append(out, ruleKey{node, backend})
		}
		for _, name := range companionNames(before, after) {
			out = append(out, ruleKey{node, name})
		}
	}
	return out, nil
}

// companion returns what a side has beside the rules of a node.
func (s *diffSide) companion(k ruleKey) compare.RuleSet {
	s.loaded.compared = true
	for _, c := range s.loaded.beside {
		if c.name == k.backend {
			files, _ := c.files(k.node)
			return compare.RuleSet{Backend: c.name, Node: k.node, Artifact: files}
		}
	}
	return compare.RuleSet{}
}

// ruleSet returns the rules of one node and backend: compiled earlier or now;
// none for a node that this side lacks.
func (s *diffSide) ruleSet(k ruleKey) (compare.RuleSet, error) {
	if s.loaded == nil {
		for _, r := range s.rules {
			if r.Backend == k.backend && (r.Node == k.node || r.Node == "") {
				r.Node = k.node
				return r, nil
			}
		}
		return compare.RuleSet{}, nil
	}
	if !slices.Contains(s.loaded.cluster.Nodes(), k.node) {
		return compare.RuleSet{}, nil
	}
	if !slices.Contains(registry.Names(), k.backend) {
		return s.companion(k), nil
	}
	selected, err := registry.Select(s.loaded.options, k.backend)
	if err != nil {
		return compare.RuleSet{}, inputError(err)
	}
	program, _ := s.loaded.cluster.Program(k.node)
	artifact, err := selected[0].Emit(program)
	if err != nil {
		return compare.RuleSet{}, systemError(fmt.Errorf("backend %s, node %s: %w", k.backend, k.node, err))
	}
	return compare.RuleSet{Backend: k.backend, Node: k.node, Artifact: artifact}, nil
}
