package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/internal/review/clusterwide"
)

func (x *census) hasKinds(namespace string) bool {
	return slices.ContainsFunc(x.kinds, func(k kindCount) bool { return k.stand.namespace == namespace })
}

// namespacesOf returns the input's namespaces with entities in a list, sorted.
func (x *census) namespacesOf(list []*entity) []string {
	seen := make(map[string]bool)
	for _, e := range list {
		if e.namespace != "" {
			seen[e.namespace] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// everyNamespace stands for pods of all namespaces, though not all of their pods.
const everyNamespace = "pods of every namespace"

// everyNamespace describes lists with all pods of all namespaces outside of the
// input, and names the exceptions. It returns "" for other lists.
func (x *census) everyNamespace() string {
	const most = 2
	elsewhere, rest := false, make(map[string]bool)
	for i := range x.kinds {
		k := &x.kinds[i]
		if k.stand.namespace == "" {
			if elsewhere = k.whole(); !elsewhere {
				return ""
			}
		} else if k.stand.labels() == 0 && k.whole() {
			rest[k.stand.namespace] = true
		}
	}
	if !elsewhere {
		return ""
	}
	var outside []string
	everywhere := true
	for _, name := range x.namespacesOf(x.all) {
		given, _ := x.given(name)
		if x.wholeNamespace(name) {
			continue
		}
		everywhere = everywhere && rest[name]
		if len(given) == 0 && !slices.ContainsFunc(x.kinds, func(k kindCount) bool { return k.stand.namespace == name && k.some() }) {
			outside = append(outside, name)
			continue
		}
		outside = append(outside, "") // the list has only some of its pods
	}
	switch {
	case everywhere:
		return everyNamespace
	case len(outside) <= most && !slices.Contains(outside, ""):
		return "every pod outside " + clusterwide.Join(outside, "and")
	}
	return ""
}

// describeKinds names stand-ins in a namespace of the input.
func (x *census) describeKinds(namespace string) []string {
	var all []*kindCount
	for i := range x.kinds {
		if x.kinds[i].stand.namespace == namespace {
			all = append(all, &x.kinds[i])
		}
	}
	return x.fewest(all)
}

// elsewhere names stand-ins in namespaces outside of the input.
func (x *census) elsewhere() []string { return x.describeKinds("") }

// fewest names the kinds of the list by as few labels as possible: a kind
// includes those with its labels and more.
func (x *census) fewest(all []*kindCount) []string {
	var parts []string
	told := make(map[*kindCount]bool)
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b *kindCount) int { return a.stand.labels() - b.stand.labels() })
	for _, k := range sorted {
		if !k.some() || told[k] {
			continue
		}
		whole := true
		for _, o := range all {
			whole = whole && (!o.stand.has(k.stand) || o.some() && o.where() == k.where())
		}
		for _, o := range all {
			told[o] = told[o] || o == k || whole && o.stand.has(k.stand)
		}
		if k.whole() && (x.spokenFor(k.stand, x.byRole[podRole]) || x.itself && x.spokenFor(k.stand, []*entity{x.single})) {
			continue
		}
		if text := k.stand.text(x.comparison, whole) + k.where(); !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	return parts
}

// has reports whether a kind has all labels of another one.
func (k *standIn) has(o *standIn) bool {
	return k.namespace == o.namespace && contains(k.combination.namespace, o.combination.namespace) && contains(k.pod, o.pod)
}

func contains(all, some map[string]string) bool {
	for key, v := range some {
		if have, ok := all[key]; !ok || have != v {
			return false
		}
	}
	return true
}

// spokenFor reports whether a listed pod of the input has the labels that name the
// kind, so that the kind need not be named.
func (c *comparison) spokenFor(k *standIn, list []*entity) bool {
	if k.labels() == 0 || k.namespace == "" && len(k.combination.namespace) == 0 {
		return false
	}
	return slices.ContainsFunc(list, func(e *entity) bool { return e.given() && c.speaks(e, k) })
}

// speaks reports whether an entity of the input has the labels of a kind.
func (c *comparison) speaks(e *entity, k *standIn) bool {
	if k.namespace != "" && k.namespace != e.namespace {
		return false
	}
	n := c.universe.standIns.namespaces[e.namespace]
	return (k.namespace != "" || n != nil && k.matches(true, k.combination.namespace, n.labels[1])) && k.matches(false, k.pod, e.labels)
}

// matches reports whether labels are those of a kind. If the kind has a value
// that no selector names, any value matches.
func (k *standIn) matches(ofNamespace bool, own, labels map[string]string) bool {
	for key, v := range own {
		have, ok := labels[key]
		if !ok || have != v && !k.fresh[labelKey{ofNamespace, key}] {
			return false
		}
	}
	return true
}

// text names the pods of a kind; whole includes pods with more labels.
func (k *standIn) text(c *comparison, whole bool) string {
	words := "pods" + k.labelWords(false, k.pod)
	if len(k.pod) == 0 && k.namespace != "" && c.hasGiven(k.namespace) {
		words = "any other pod"
	}
	speaks := func(e *entity) bool { return e.given() && c.speaks(e, k) }
	missing := !slices.ContainsFunc(c.all, speaks) && !slices.ContainsFunc(c.fresh, speaks)
	suffix := ""
	if missing {
		suffix = " (the input has none)"
	}
	labels := maps.Clone(k.combination.namespace)
	name, isNamed := labels[corev1.LabelMetadataName]
	delete(labels, corev1.LabelMetadataName)
	switch {
	case k.namespace != "" && words == "any other pod":
		return words + " of " + k.namespace
	case k.namespace != "":
		return words + " of " + k.namespace + suffix
	case isNamed:
		return words + " of namespace " + name + k.labelWords(true, labels) + suffix
	case len(labels) == 0 && whole && len(k.pod) == 0:
		return "pods of every other namespace"
	case len(labels) == 0 && whole:
		return words + " of any other namespace"
	case len(labels) == 0:
		return words + " of other namespaces"
	case !c.anyNamespace(k, labels):
		return words + " of namespaces" + k.labelWords(true, labels) + suffix
	}
	return words + " of other namespaces" + k.labelWords(true, labels)
}

// labelWords formats labels as a clause: " with app=web,tier=front".
func (k *standIn) labelWords(ofNamespace bool, labels map[string]string) string {
	if len(labels) == 0 {
		return ""
	}
	var words []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		what, is := key, "="
		if key == clause.AccountKey {
			what, is = "service account", " "
		}
		if k.fresh[labelKey{ofNamespace, key}] {
			words = append(words, fmt.Sprintf("another %s", what))
		} else {
			words = append(words, what+is+labels[key])
		}
	}
	return " with " + strings.Join(words, ",")
}

func (c *comparison) hasGiven(namespace string) bool {
	there := func(e *entity) bool { return e.given() && e.namespace == namespace }
	return slices.ContainsFunc(c.all, there) || slices.ContainsFunc(c.fresh, there)
}

// anyNamespace reports whether a namespace of the input has the given labels of a kind.
func (c *comparison) anyNamespace(k *standIn, labels map[string]string) bool {
	for _, n := range c.universe.standIns.namespaces {
		if k.matches(true, labels, n.labels[1]) {
			return true
		}
	}
	return false
}

// standInLabels identifies the stand-ins of a list for machines: "namespace/*" is
// every pod of a namespace, "*/*" every pod in namespaces outside of the input.
func (c *comparison) standInLabels(list []*entity) []string {
	x := c.count(list, nil)
	var out []string
	for _, name := range append(x.namespacesOf(x.byRole[podRole]), "") {
		var all []*kindCount
		whole := true
		for i := range x.kinds {
			if k := &x.kinds[i]; k.stand.namespace == name {
				all = append(all, k)
				whole = whole && k.whole()
			}
		}
		switch {
		case len(all) == 0:
		case whole && name == "":
			out = append(out, "*/*")
		case whole:
			out = append(out, name+"/*")
		default:
			for _, k := range all {
				if k.some() {
					out = append(out, k.stand.text(c, false)+k.where())
				}
			}
		}
	}
	return out
}
