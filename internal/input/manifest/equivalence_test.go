package manifest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/compiler/objects"
)

// loadText runs a text through the splitter and the pipeline.
func loadText(tb testing.TB, text string) outcome {
	tb.Helper()
	p := startPipeline(tb.Context(), wanted{workloads: true}, nil)
	s := &splitter{w: newWindow(strings.NewReader(text)), file: "f", out: p}
	if err := s.split(); err != nil {
		tb.Fatal(err)
	}
	out := p.wait()
	out.add(&s.diags)
	return out
}

// loadWhole decodes a text as one YAML document, without any splitting.
func loadWhole(text string) outcome {
	var out outcome
	d := newDecoder(newSchemas())
	d.workloads = true
	d.piece(&out, &piece{text: []byte(text), file: "f", line: 1, yaml: true})
	return out
}

func sortSet(s *objects.Set) {
	slices.SortStableFunc(s.Services, bySource)
	slices.SortStableFunc(s.EndpointSlices, bySource)
	slices.SortStableFunc(s.Nodes, bySource)
	slices.SortStableFunc(s.Pods, bySource)
	slices.SortStableFunc(s.Namespaces, bySource)
	slices.SortStableFunc(s.ServiceCIDRs, bySource)
	slices.SortStableFunc(s.NetworkPolicies, bySource)
	slices.SortStableFunc(s.ClusterNetworkPolicies, bySource)
	slices.SortStableFunc(s.AdminNetworkPolicies, bySource)
	slices.SortStableFunc(s.BaselineAdminNetworkPolicies, bySource)
}

func bySource[T objects.Meta](a, b objects.Sourced[T]) int {
	if a.Line != b.Line {
		return a.Line - b.Line
	}
	return strings.Compare(a.Object.GetName(), b.Object.GetName())
}

// listSeeds are lists whose shape is, or only looks like, the one that is cut
// by lines.
var listSeeds = []string{
	"apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: a\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: b\nkind: List\n",
	"kind: ServiceList\napiVersion: v1\nitems:\n- metadata:\n    name: a\n",
	"kind: List\napiVersion: v1\nitems:\n  - &a\n    apiVersion: v1\n    kind: Service\n    metadata: {name: a}\n  - *a\n",
	"kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n  x: |\n   - b\n\n   items:\n   # c\n- kind: Node\n  apiVersion: v1\n  metadata: {name: b}\n  y: >-\n\n    z\n",
	"kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n  x: 'y\n- z'\n",
	"kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: a,\n- labels: {}}}\n",
	"a: \"\nitems:\n- b\n\"\nkind: Service\napiVersion: v1\nmetadata: {name: a}\n",
	"kind: List\napiVersion: v1\nitems:\n-\tapiVersion: v1\n  kind: Service\n",
	"kind: List\napiVersion: v1\nitems:\n- - a\n- b: - c\n",
	"kind: List\napiVersion: v1\nitems:\n  - a: 1\n - b: 2\n",
	"kind: List\napiVersion: v1\nitems:\n- kind: Node\n  apiVersion: v1\n  metadata: {name: a}\nitems:\n- kind: Node\n  apiVersion: v1\n  metadata: {name: b}\n",
	"items: # c\n- kind: Node\n  apiVersion: v1\n  metadata: {name: a}\nkind: List\n",
	"items:\n- kind: Node\n  apiVersion: v1\n  metadata: {name: a}\n...\nkind: Node\napiVersion: v1\nmetadata: {name: b}\n",
	"kind: List\rapiVersion: v1\ritems:\r- kind: Node\r  apiVersion: v1\r  metadata: {name: a}\r",
	"kind: List\nitems:\n- !!map\n  kind: Node\n  apiVersion: v1\n  metadata: {name: a}\n- !x {}\n-\n- ~\n- # c\n  kind: Node\n  apiVersion: v1\n  metadata: {name: b}\n",
	"kind: List\napiVersion: v1\nitems:\n- apiVersion: networking.k8s.io/v1\n  kind: NetworkPolicy\n  metadata: {name: a}\n  spec:\n    podSelector: {}\n    ingress:\n    -\n    - from:\n      -\n      - ~\n      - {}\n    - from: []\n      ports: [{port: http}]\n    egress: []\n- apiVersion: policy.networking.k8s.io/v1alpha2\n  kind: ClusterNetworkPolicy\n  metadata: {name: b}\n  spec:\n    tier: Admin\n    priority: 0\n    subject: {namespaces: {}}\n    egress:\n    - action: Deny\n      to:\n      - networks:\n        - 10.0.0.0/8\n      - {future: 1}\n",
	"kind: BaselineAdminNetworkPolicyList\napiVersion: policy.networking.k8s.io/v1alpha1\nitems:\n- metadata:\n    name: default\n  spec:\n    subject:\n      pods:\n        namespaceSelector: {}\n        podSelector: {}\n- metadata:\n    name: other\n",
	"kind: List\nitems:\n- ? a\n  : b\n- |+\n  x\n\n\n- c\n",
}

// TestListShape asks of every seed that cutting it by lines changes nothing.
func TestListShape(t *testing.T) {
	for _, text := range listSeeds {
		checkEquivalent(t, text)
	}
}

// checkEquivalent asks that a document that can be read as a whole gives the
// same objects when it goes through the splitter.
func checkEquivalent(t *testing.T, text string) {
	t.Helper()
	whole := loadWhole(text)
	if whole.unread || len(whole.diags) > 0 {
		return
	}
	split := loadText(t, text)
	sortSet(&whole.set)
	sortSet(&split.set)
	if diff := cmp.Diff(whole.set, split.set); diff != "" {
		t.Errorf("%q: (-whole +split)\n%s", text, diff)
	}
	if diff := cmp.Diff(whole.skipped, split.skipped); diff != "" {
		t.Errorf("%q: skipped (-whole +split)\n%s", text, diff)
	}
	if len(split.diags) > 0 {
		t.Errorf("%q: %v", text, split.diags)
	}
}

// FuzzYAMLSplit looks for a document that means something else when it is cut
// by lines.
func FuzzYAMLSplit(f *testing.F) {
	for _, s := range listSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 || hasSeparator(text) || strings.HasPrefix(strings.TrimSpace(text), "{") || strings.ContainsAny(text, "\x00\ufeff") {
			t.Skip()
		}
		checkEquivalent(t, text)
	})
}

func hasSeparator(text string) bool {
	for line := range strings.Lines(text) {
		if isSeparator([]byte(line)) || strings.HasPrefix(line, "%") {
			return true
		}
	}
	return false
}
