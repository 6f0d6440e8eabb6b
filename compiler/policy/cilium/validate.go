package cilium

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/policy/validate"
)

// checker collects why an object would be refused.
type checker struct {
	validate.Checker
	options *options
}

// validateNetworkPolicy returns why the API server or Cilium's agent with these options
// would refuse the policy (pkg/policy/api/rule_validation.go and the CRDs).
func validateNetworkPolicy(p *ciliumv2.NetworkPolicy, o *options) field.ErrorList {
	c := &checker{options: o}
	c.object(p.Spec, p.Specs, false)
	return c.Errs
}

// validateClusterwidePolicy is [validateNetworkPolicy] for a policy of the cluster.
func validateClusterwidePolicy(p *ciliumv2.ClusterwideNetworkPolicy, o *options) field.ErrorList {
	c := &checker{options: o}
	c.object(p.Spec, p.Specs, true)
	return c.Errs
}

// ValidateCIDRGroup returns why the API server would refuse the group.
func ValidateCIDRGroup(g *ciliumv2.CIDRGroup) field.ErrorList {
	c, at := &checker{}, field.NewPath("spec", "externalCIDRs")
	if g.Spec.ExternalCIDRs == nil {
		c.Required(at, "")
	}
	for i, text := range g.Spec.ExternalCIDRs {
		c.cidr(at.Index(i), text)
	}
	return c.Errs
}

// object checks the policies of an object, of which one that is wrong makes all void.
func (c *checker) object(spec *ciliumv2.Rule, specs []*ciliumv2.Rule, cluster bool) {
	if spec == nil && specs == nil {
		c.Required(field.NewPath("spec"), "spec or specs must be provided")
	}
	if spec != nil {
		c.policy(field.NewPath("spec"), spec, cluster)
	}
	for i, one := range specs {
		at := field.NewPath("specs").Index(i)
		if one == nil {
			c.Required(at, "")
			continue
		}
		c.policy(at, one, cluster)
	}
}

func (c *checker) policy(at *field.Path, r *ciliumv2.Rule, cluster bool) {
	if len(r.Ingress)+len(r.IngressDeny)+len(r.Egress)+len(r.EgressDeny) == 0 {
		c.Invalid(at, "", "rule must have at least one of Ingress, IngressDeny, Egress, EgressDeny")
	}
	switch endpoints, nodes := r.EndpointSelector != nil, r.NodeSelector != nil; {
	case endpoints && nodes:
		c.Forbidden(at, "rule cannot have both EndpointSelector and NodeSelector")
	case !endpoints && !nodes:
		c.Required(at.Child("endpointSelector"), "rule must have one of EndpointSelector or NodeSelector")
	case nodes && !cluster:
		c.Forbidden(at.Child("nodeSelector"), "rule cannot have NodeSelector")
	}
	c.selector(at.Child("endpointSelector"), r.EndpointSelector)
	c.selector(at.Child("nodeSelector"), r.NodeSelector)
	for i, l := range r.Labels {
		if l.Key == "" {
			c.Required(at.Child("labels").Index(i).Child("key"), "")
		}
	}
	if l := r.Log; l != nil && (utf8.RuneCountInString(l.Value) > 32 || strings.ContainsFunc(l.Value, unicode.IsControl)) {
		c.Invalid(at.Child("log", "value"), validate.Bounded(l.Value), "should be at most 32 printable characters")
	}
	for _, v := range views(r) {
		if c.Full() {
			return
		}
		check := ruleChecker{c, &v, cluster, r.NodeSelector != nil}
		check.rule(pathOf(at, v.path))
	}
}

// pathOf adds "ingress[0]" to a path.
func pathOf(at *field.Path, path string) *field.Path {
	name, text, _ := strings.Cut(strings.TrimSuffix(path, "]"), "[")
	index, _ := strconv.Atoi(text) // views made it
	return at.Child(name).Index(index)
}

var (
	labelValue  = regexp.MustCompile(`^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$`)
	labelSource = regexp.MustCompile(`^[a-zA-Z0-9][-a-zA-Z0-9_.]*$`)
)

// selector checks a selector (pkg/labels/validation.go).
func (c *checker) selector(at *field.Path, s *ciliumv2.Selector) {
	if s == nil {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(s.MatchLabels)) {
		if c.Full() {
			return
		}
		value := s.MatchLabels[key]
		c.key(at.Child("matchLabels"), key)
		if len(value) > 63 || !labelValue.MatchString(value) {
			c.Invalid(at.Child("matchLabels").Key(validate.Bounded(key)), validate.Bounded(value), "should be a value of a label")
		}
	}
	for i := range s.MatchExpressions {
		c.requirement(at.Child("matchExpressions").Index(i), &s.MatchExpressions[i])
	}
}

func (c *checker) requirement(at *field.Path, r *ciliumv2.Requirement) {
	if c.Full() {
		return
	}
	c.key(at.Child("key"), r.Key)
	switch r.Operator {
	case opIn, opNotIn:
		if len(r.Values) == 0 {
			c.Required(at.Child("values"), "must be specified when `operator` is 'In' or 'NotIn'")
		}
	case opExists, opDoesNotExist:
		if len(r.Values) > 0 {
			c.Forbidden(at.Child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
		}
	default:
		c.Add(field.NotSupported(at.Child("operator"), validate.Bounded(r.Operator), []string{opIn, opNotIn, opExists, opDoesNotExist}))
	}
	for i, value := range r.Values {
		for _, why := range validation.IsValidLabelValue(value) {
			c.Invalid(at.Child("values").Index(i), validate.Bounded(value), why)
		}
	}
}

// key checks a key of a selector, which may have a source before a colon.
func (c *checker) key(at *field.Path, key string) {
	source, name, there := strings.Cut(key, ":")
	switch {
	case !there:
		name = strings.TrimPrefix(key, "$")
	case strings.Contains(name, ":"):
		c.Invalid(at, validate.Bounded(key), "more than one source")
		return
	case !labelSource.MatchString(source):
		c.Invalid(at, validate.Bounded(key), "the source should be letters and digits")
	}
	for _, why := range validation.IsQualifiedName(name) {
		c.Invalid(at, validate.Bounded(key), why)
	}
}

func (c *checker) cidr(at *field.Path, text string) bool {
	_, ok := parseCIDR(text)
	if !ok {
		c.Invalid(at, validate.Bounded(text), fmt.Sprintf("in body must be of type cidr: %q", validate.Bounded(text)))
	}
	return ok
}
