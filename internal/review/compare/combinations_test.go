package compare

import (
	"math/rand/v2"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// TestCombinations holds the combinations of random selectors against every label set
// of the values that the selectors name, and of one more.
func TestCombinations(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 14))
	ops := []metav1.LabelSelectorOperator{metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn, metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist}
	for range 500 {
		var selectors []asked
		var compiled []labels.Selector
		for range 1 + r.IntN(6) {
			var s metav1.LabelSelector
			for range r.IntN(4) {
				q := metav1.LabelSelectorRequirement{Key: string(rune('a' + r.IntN(3))), Operator: ops[r.IntN(len(ops))]}
				if q.Operator == metav1.LabelSelectorOpIn || q.Operator == metav1.LabelSelectorOpNotIn {
					q.Values = []string{"x", "y"}[r.IntN(2):][:1]
				}
				s.MatchExpressions = append(s.MatchExpressions, q)
			}
			c, err := metav1.LabelSelectorAsSelector(&s)
			if err != nil {
				t.Fatal(err)
			}
			a := make(asked)
			a.add(false, c)
			selectors, compiled = append(selectors, a), append(compiled, c)
		}
		want := bySelectors(compiled)
		got, complete := combinations(selectors, noValue, noLabel)
		if len(got) != len(want) || !complete {
			t.Fatalf("%v: %d combinations, want %d", compiled, len(got), len(want))
		}
		for _, c := range got {
			if key := selectedOf(compiled, c.pod); key != c.selected.key() || !want[key] {
				t.Fatalf("%v: %v selected by %q, not %q", compiled, c.pod, key, c.selected.key())
			}
		}
	}
}

// bySelectors are the sets of selectors that any labels satisfy.
func bySelectors(compiled []labels.Selector) map[string]bool {
	out := make(map[string]bool)
	values := []string{"", "x", "y", "z"}
	for _, a := range values {
		for _, b := range values {
			for _, c := range values {
				out[selectedOf(compiled, labelsOf("a", a, "b", b, "c", c))] = true
			}
		}
	}
	return out
}

func selectedOf(compiled []labels.Selector, set map[string]string) string {
	m := newMask(len(compiled))
	for i, s := range compiled {
		if s.Matches(labels.Set(set)) {
			m.set(i)
		}
	}
	return m.key()
}
