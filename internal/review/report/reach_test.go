package report_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/internal/review/report"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/ir"
)

func reach(set *objects.Set) *report.Reach {
	config := objects.Config{ClusterCIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}}
	return &report.Reach{Map: connectivity.Of(set, compiler.Prepare(set, config), nil), Locate: func(o ir.Origin) ir.Origin { return o }}
}

// edges writes a map's edges as sentences.
func edges(m *report.Map) (out []string) {
	for _, e := range m.Edges {
		out = append(out, fmt.Sprintf("%s → %s: %s %s", m.Workloads[e.From].Name, m.Workloads[e.To].Name, e.Ports, e.Change))
	}
	slices.Sort(out)
	return out
}

// TestMap wants what policies let through, and in a change what opens and closes.
func TestMap(t *testing.T) {
	with, without := policies(t, ""), policies(t, "default-deny")
	leave := []string{
		"shop/db → monitoring/prometheus: every port ", "shop/db → outside: every port ", "shop/web → monitoring/prometheus: every port ",
		"shop/web → outside: every port ", "outside → monitoring/prometheus: every port ", "monitoring/prometheus → outside: every port ",
		"monitoring/prometheus → shop/db: 9187/tcp ", "monitoring/prometheus → shop/web: 9100/tcp ", "shop/web → shop/db: 5432/tcp ",
	}
	slices.Sort(leave)
	if d := cmp.Diff(leave, edges(report.NewMap(nil, reach(with.Objects)))); d != "" {
		t.Error(d)
	}
	for word, states := range map[string][2]*objects.Set{"opened": {with.Objects, without.Objects}, "closed": {without.Objects, with.Objects}} {
		m := report.NewMap(reach(states[0]), reach(states[1]))
		want := slices.Concat(leave, []string{
			"outside → shop/web: every port " + word, "shop/db → shop/web: every port " + word, "monitoring/prometheus → shop/web: every port but 9100/tcp " + word,
		})
		slices.Sort(want)
		if d := cmp.Diff(want, edges(m)); d != "" {
			t.Error(word, d)
		}
		for _, e := range m.Edges {
			if e.Change != "" && len(e.Because) == 0 {
				t.Errorf("%s: nothing says why %s → %s", word, m.Workloads[e.From].Name, m.Workloads[e.To].Name)
			}
			if e.Change == "closed" && e.Because[0].Origin.Name != "default-deny" {
				t.Errorf("closed by %+v", e.Because)
			}
		}
	}
}

// TestFoldedMap wants namespaces for more workloads than a page draws.
func TestFoldedMap(t *testing.T) {
	set := clustergen.PolicyObjects(clustergen.PolicySize{Pods: 600, Nodes: 3, Namespaces: 6, Policies: 12})
	for i := range set.Pods {
		set.Pods[i].Object.Name = fmt.Sprintf("app%c%c%c", 'a'+i%26, 'a'+i/26%26, 'x')
	}
	m := report.NewMap(nil, reach(&set))
	if !m.Folded || len(m.Workloads) > 12 || len(m.Edges) == 0 || len(m.Edges) > 200 {
		t.Errorf("folded %v, %d boxes, %d edges", m.Folded, len(m.Workloads), len(m.Edges))
	}
}
