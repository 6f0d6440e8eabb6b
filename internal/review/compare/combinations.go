package compare

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
)

// maxCombinations bounds the label combinations that are examined in one
// namespace, or in the namespaces outside of the input.
const maxCombinations = 1024

// mask is a set of selectors, by number.
type mask []uint64

func newMask(n int) mask { return make(mask, (n+63)/64) }

func (m mask) set(i int) { m[i/64] |= 1 << (i % 64) }

func (m mask) and(o mask) mask {
	out := make(mask, len(m))
	for i := range m {
		out[i] = m[i] & o[i]
	}
	return out
}

func (m mask) key() string {
	var b strings.Builder
	for _, w := range m {
		for range 8 {
			b.WriteByte(byte(w))
			w >>= 8
		}
	}
	return b.String()
}

// labelKey is a label key of a namespace or of a pod.
type labelKey struct {
	ofNamespace bool
	key         string
}

// asked is one selector: its requirements for each label.
type asked map[labelKey][]labels.Requirement

func (a asked) add(ofNamespace bool, s labels.Selector) {
	requirements, selectable := s.Requirements()
	if !selectable {
		// This selector matches nothing: no label can have two values.
		never, _ := labels.NewRequirement("x", "in", []string{"a"})
		other, _ := labels.NewRequirement("x", "in", []string{"b"})
		requirements = labels.Requirements{*never, *other}
	}
	for _, r := range requirements {
		k := labelKey{ofNamespace, r.Key()}
		a[k] = append(a[k], r)
	}
}

// combination is a possible set of labels of a pod and of its namespace.
type combination struct {
	namespace, pod map[string]string
	// fresh are the keys with a value that no selector names.
	fresh map[labelKey]bool
	// selected are the selectors that match the pod.
	selected mask
}

func (c *combination) labels() int { return len(c.namespace) + len(c.pod) }

// value is a possible value of one label; present is false if the label is absent.
type value struct {
	text           string
	present, fresh bool
	// always requires the label to be present.
	always   bool
	selected mask
}

// combinations returns labels for every set of selectors that one pod can satisfy
// without the other selectors. Selectors only distinguish whether a label is absent,
// has one of the values that a selector names, or has another value. Banned values
// are never used, mandatory labels are always present. The result is bounded and
// prefers few labels; complete reports that nothing was left out.
func combinations(selectors []asked, banned func(labelKey, string) bool, mandatory func(labelKey) bool) (out []combination, complete bool) {
	all := newMask(len(selectors))
	for i := range selectors {
		all.set(i)
	}
	out, complete = []combination{{selected: all}}, true
	for _, key := range askedKeys(selectors) {
		values := valuesOf(key, selectors, banned, mandatory(key))
		var next []combination
		known := make(map[string]bool)
		for _, v := range values { // the plain value first, so that few labels are set
			for i := range out {
				selected := out[i].selected.and(v.selected)
				if id := selected.key(); !known[id] {
					known[id] = true
					next = append(next, out[i].with(key, v, selected))
				}
			}
		}
		slices.SortStableFunc(next, func(a, b combination) int { return a.labels() - b.labels() })
		if len(next) > maxCombinations {
			next, complete = next[:maxCombinations], false
		}
		out = next
	}
	return out, complete
}

func (c *combination) with(key labelKey, v value, selected mask) combination {
	out := combination{namespace: c.namespace, pod: c.pod, fresh: c.fresh, selected: selected}
	if !v.present || v.fresh && v.always {
		return out // a label that is always present distinguishes nothing
	}
	into := &out.pod
	if key.ofNamespace {
		into = &out.namespace
	}
	*into = withEntry(*into, key.key, v.text)
	if v.fresh {
		out.fresh = withEntry(out.fresh, key, true)
	}
	return out
}

func withEntry[K comparable, V any](m map[K]V, key K, v V) map[K]V {
	out := make(map[K]V, len(m)+1)
	for k, have := range m {
		out[k] = have
	}
	out[key] = v
	return out
}

// askedKeys returns the keys in any selector, those of namespaces first.
func askedKeys(selectors []asked) []labelKey {
	seen := make(map[labelKey]bool)
	var out []labelKey
	for _, s := range selectors {
		for k := range s {
			if !seen[k] {
				seen[k] = true
				out = append(out, k)
			}
		}
	}
	slices.SortFunc(out, func(a, b labelKey) int {
		if a.ofNamespace != b.ofNamespace {
			if a.ofNamespace {
				return -1
			}
			return 1
		}
		return strings.Compare(a.key, b.key)
	})
	return out
}

// valuesOf returns the values of a label that selectors distinguish, an absent
// label first.
func valuesOf(key labelKey, selectors []asked, banned func(labelKey, string) bool, mandatory bool) []value {
	named := make(map[string]bool)
	for _, s := range selectors {
		for _, r := range s[key] {
			for v := range r.Values() {
				named[v] = true
			}
		}
	}
	var list []value
	if !mandatory {
		list = append(list, value{})
	} else {
		list = append(list, value{text: freshValue(named), present: true, fresh: true, always: true})
	}
	texts := slices.Sorted(maps.Keys(named))
	for _, v := range texts {
		if !banned(key, v) {
			list = append(list, value{text: v, present: true})
		}
	}
	if !mandatory {
		list = append(list, value{text: freshValue(named), present: true, fresh: true})
	}
	for i := range list {
		list[i].selected = selectedBy(key, &list[i], selectors)
	}
	return list
}

// freshValue returns a value that no selector names.
func freshValue(named map[string]bool) string {
	v := "any"
	for named[v] {
		v += "-other"
	}
	return v
}

// selectedBy returns the selectors that a value does not rule out.
func selectedBy(key labelKey, v *value, selectors []asked) mask {
	set := labels.Set{}
	if v.present {
		set[key.key] = v.text
	}
	out := newMask(len(selectors))
	for i, s := range selectors {
		fits := true
		for _, r := range s[key] {
			fits = fits && r.Matches(set)
		}
		if fits {
			out.set(i)
		}
	}
	return out
}
