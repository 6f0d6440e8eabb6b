package diffreport

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Sort brings the report into its canonical order.
func (r *Report) Sort() {
	rank := make(map[Kind]int)
	for i, k := range Kinds() {
		rank[k] = i
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(rank[a.Kind], rank[b.Kind]),
			compareBool(b.Urgent, a.Urgent),
			cmp.Compare(b.Size, a.Size),
			strings.Compare(a.Sentence(), b.Sentence()),
		)
	})
	slices.SortStableFunc(r.Objects, func(a, b Object) int {
		return cmp.Or(
			strings.Compare(a.Origin.Kind, b.Origin.Kind),
			strings.Compare(a.Origin.Namespace, b.Origin.Namespace),
			strings.Compare(a.Origin.Name, b.Origin.Name),
		)
	})
	slices.SortStableFunc(r.Rules, func(a, b Rules) int {
		return cmp.Or(strings.Compare(a.Backend, b.Backend), slices.Compare(a.Nodes, b.Nodes), strings.Compare(a.File, b.File))
	})
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Summary formats the report as one line.
func (r *Report) Summary() string {
	words := map[Kind]string{
		Opened: "%d opened", Closed: "%d closed", Source: "source addresses change", Refusal: "refusals change",
		Endpoints: "endpoints change", Addresses: "addresses change", Affinity: "session affinity changes", Added: "%d new", Removed: "%d gone",
	}
	var parts []string
	for _, k := range Kinds() {
		if n := r.Count(k); n > 0 {
			parts = append(parts, strings.Replace(words[k], "%d", fmt.Sprint(n), 1))
		}
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, ", ")
	case r.Unknown && len(r.Objects) > 0:
		return "objects change; what that does to the network is not known"
	case r.Unknown && len(r.Rules) == 0:
		return "no difference in what can be compared"
	case len(r.Objects) > 0:
		return "objects change, but nothing that the network does"
	case r.Unknown:
		return "rules differ; what else changes is not known"
	case len(r.Rules) > 0:
		return "only the rules differ"
	}
	return "no difference"
}

// ObjectSummary counts the objects: "1 added, 2 changed".
func (r *Report) ObjectSummary() string {
	var parts []string
	for _, c := range []Change{ObjectAdded, ObjectRemoved, ObjectChanged} {
		n := 0
		for i := range r.Objects {
			if r.Objects[i].Change == c {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c))
		}
	}
	return strings.Join(parts, ", ")
}

// RuleSummaries formats the counts of lines, one line for each backend.
func (r *Report) RuleSummaries() []string {
	type total struct {
		nodes          map[string]bool
		added, removed int
	}
	totals := make(map[string]*total)
	var names []string
	for i := range r.Rules {
		x := &r.Rules[i]
		t := totals[x.Backend]
		if t == nil {
			t = &total{nodes: make(map[string]bool)}
			totals[x.Backend] = t
			names = append(names, x.Backend)
		}
		for _, n := range x.Nodes {
			t.nodes[n] = true
		}
		t.added += x.Added * len(x.Nodes)
		t.removed += x.Removed * len(x.Nodes)
	}
	slices.Sort(names)
	var out []string
	for _, name := range names {
		t := totals[name]
		out = append(out, fmt.Sprintf("%s: +%d -%d lines on %s", name, t.added, t.removed, Several(len(t.nodes), "node")))
	}
	return out
}

// Several formats "1 node" or "3 nodes".
func Several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
