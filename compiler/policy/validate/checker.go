package validate

import (
	"maps"
	"slices"

	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checker collects the errors of one policy.
type checker struct {
	// masked requires networks without bits beyond their prefix.
	masked bool
	Checker
}

// each calls check for every element with its path, until there are enough
// errors.
func each[T any](c *checker, path *field.Path, list []T, check func(*field.Path, *T)) {
	for i := range list {
		if c.Full() {
			return
		}
		check(path.Index(i), &list[i])
	}
}

func (c *checker) meta(m *metav1.ObjectMeta, namespaced bool) {
	path := field.NewPath("metadata")
	// Other metadata does not reach this package.
	named := metav1.ObjectMeta{Name: m.Name, GenerateName: m.GenerateName, Namespace: m.Namespace}
	c.AddAll(apivalidation.ValidateObjectMeta(&named, namespaced, apivalidation.NameIsDNSSubdomain, path))
	c.labels(path.Child("labels"), m.Labels)
}

// labels checks labels in sorted order, because a hostile object has many of them
// and apimachinery's errors follow Go's map order.
func (c *checker) labels(path *field.Path, labels map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if c.Full() {
			return
		}
		c.AddAll(metavalidation.ValidateLabels(map[string]string{name: labels[name]}, path))
	}
}

// selector checks a selector; a missing one is valid.
func (c *checker) selector(path *field.Path, s *metav1.LabelSelector) {
	if s == nil {
		return
	}
	c.labels(path.Child("matchLabels"), s.MatchLabels)
	each(c, path.Child("matchExpressions"), s.MatchExpressions, func(at *field.Path, r *metav1.LabelSelectorRequirement) {
		c.AddAll(metavalidation.ValidateLabelSelectorRequirement(*r, metavalidation.LabelSelectorValidationOptions{}, at))
	})
}
