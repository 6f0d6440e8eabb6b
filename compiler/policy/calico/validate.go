package calico

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/policy/calico/selector"
	"github.com/planec/planec/compiler/policy/validate"
)

// The bounds of Calico's definitions (api/config/crd).
const (
	maxSelector = 1024
	maxNets     = 256
	maxPorts    = 50
	maxRules    = 1024
	maxHTTP     = 20
)

const (
	labelPattern     = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
	subdomainPattern = labelPattern + `(\.` + labelPattern + ")*"
)

var (
	namePattern         = regexp.MustCompile("^" + subdomainPattern + "$")
	tierName            = regexp.MustCompile("^" + labelPattern + "$")
	networkPolicyName   = regexp.MustCompile("^(" + labelPattern + `(\.` + labelPattern + `)?|(knp|ossg)\.default\.` + subdomainPattern + ")$")
	globalPolicyName    = regexp.MustCompile("^(" + labelPattern + `\.)?` + labelPattern + "$")
	nameMessage         = "name must consist of lower case alphanumeric characters or '-' (regex: " + labelPattern + ")"
	globalOnlyInRules   = "global() can only be used in an EntityRule namespaceSelector"
	wellKnownTierOrders = map[string]float64{adminTier: adminOrder, defaultTier: defaultOrder, baselineTier: baselineOrder}
)

// checker collects why an object would be refused.
type checker struct{ validate.Checker }

// ValidateNetworkPolicy returns why Calico or the API server would refuse the policy,
// which has its defaults.
func ValidateNetworkPolicy(p *calicov3.NetworkPolicy) field.ErrorList {
	c := &checker{}
	c.meta(&p.ObjectMeta, networkPolicyName)
	c.policy(&p.Spec, false)
	return c.Errs
}

// ValidateGlobalNetworkPolicy is [ValidateNetworkPolicy] for a policy of the cluster.
func ValidateGlobalNetworkPolicy(p *calicov3.GlobalNetworkPolicy) field.ErrorList {
	c, spec := &checker{}, field.NewPath("spec")
	c.meta(&p.ObjectMeta, globalPolicyName)
	c.policy(&p.Spec.PolicySpec, true)
	c.selector(spec.Child("namespaceSelector"), p.Spec.NamespaceSelector, maxSelector, false)
	if p.Spec.DoNotTrack && p.Spec.PreDNAT {
		c.Forbidden(spec, "preDNAT and doNotTrack cannot both be true")
	}
	if p.Spec.PreDNAT && len(p.Spec.Egress) > 0 {
		c.Forbidden(spec.Child("egress"), "preDNAT policy cannot have any egress rules")
	}
	if p.Spec.PreDNAT && slices.Contains(p.Spec.Types, "Egress") {
		c.Forbidden(spec.Child("types"), "preDNAT policy cannot have 'Egress' type")
	}
	if (p.Spec.PreDNAT || p.Spec.DoNotTrack) && !p.Spec.ApplyOnForward {
		c.Invalid(spec.Child("applyOnForward"), false, "applyOnForward must be true if either preDNAT or doNotTrack is true")
	}
	return c.Errs
}

// ValidateTier returns why the API server would refuse the tier.
func ValidateTier(t *calicov3.Tier) field.ErrorList {
	c, spec := &checker{}, field.NewPath("spec")
	c.meta(&t.ObjectMeta, tierName)
	if at := field.NewPath("metadata", "name"); len(t.Name) > validation.DNS1123LabelMaxLength {
		c.Add(field.TooLong(at, "", validation.DNS1123LabelMaxLength))
	}
	action := t.Spec.DefaultAction
	if action == "" {
		action = "Deny"
	}
	c.oneOf(spec.Child("defaultAction"), action, "Deny", "Pass")
	order, known := wellKnownTierOrders[t.Name]
	if !known {
		return c.Errs
	}
	if want := wellKnownAction(t.Name); action != want {
		c.Invalid(spec.Child("defaultAction"), action, fmt.Sprintf("The '%s' tier must have default action '%s'", t.Name, want))
	}
	if t.Spec.Order == nil || *t.Spec.Order != order {
		c.Invalid(spec.Child("order"), t.Spec.Order, fmt.Sprintf("%s tier order must be %.0f", t.Name, order))
	}
	return c.Errs
}

// ValidateSet returns why Calico would refuse a network set with these parts.
func ValidateSet(m *metav1.ObjectMeta, s *calicov3.NetworkSetSpec) field.ErrorList {
	c, nets := &checker{}, field.NewPath("spec", "nets")
	c.meta(m, namePattern)
	if _, there := m.Labels[labelNamespace]; there {
		c.Invalid(field.NewPath("metadata", "labels"), labelNamespace, "projectcalico.org/namespace is not a valid label name")
	}
	seen := make(map[string]bool)
	for i, n := range s.Nets {
		if _, err := parseSetNet(n); err != nil {
			c.Invalid(nets.Index(i), validate.Bounded(n), err.Error())
		}
		c.once(nets.Index(i), n, seen)
	}
	return c.Errs
}

func (c *checker) meta(m *metav1.ObjectMeta, rule *regexp.Regexp) {
	at := field.NewPath("metadata")
	if !rule.MatchString(m.Name) {
		c.Invalid(at.Child("name"), validate.Bounded(m.Name), nameMessage)
	}
	for name, value := range sorted(m.Labels) {
		if c.Full() {
			return
		}
		for _, e := range metavalidation.ValidateLabels(map[string]string{name: value}, at.Child("labels")) {
			c.Add(e)
		}
	}
}

// once reports a value of a set that is there a second time.
func (c *checker) once(at *field.Path, value string, seen map[string]bool) {
	if seen[value] {
		c.Add(field.Duplicate(at, validate.Bounded(value)))
	}
	seen[value] = true
}

// oneOf is [validate.Checker.OneOf] for a value that must be there.
func (c *checker) oneOf(at *field.Path, value string, known ...string) {
	if value == "" && !slices.Contains(known, value) {
		c.Required(at, "")
		return
	}
	c.OneOf(at, value, known...)
}

// selector checks a selector; most is the number of its characters at most, or 0. Only
// where global is true it may say global().
func (c *checker) selector(at *field.Path, text string, most int, global bool) {
	if most > 0 && utf8.RuneCountInString(text) > most {
		c.Add(field.TooLong(at, "", most))
		return
	}
	s, err := selector.Parse(text)
	switch {
	case err != nil:
		c.Invalid(at, validate.Bounded(text), "no selector: "+err.Error())
	case !global && strings.Contains(text, "global("):
		c.Invalid(at, validate.Bounded(text), globalOnlyInRules)
	case global && s.HasGlobal() && !s.IsGlobal():
		c.Invalid(at, validate.Bounded(text), "global() cannot be combined with other selectors")
	}
}

func (c *checker) policy(s *calicov3.PolicySpec, global bool) {
	spec := field.NewPath("spec")
	if s.Tier != "" && !namePattern.MatchString(s.Tier) {
		c.Invalid(spec.Child("tier"), validate.Bounded(s.Tier), nameMessage)
	}
	c.selector(spec.Child("selector"), s.Selector, maxSelector, false)
	c.selector(spec.Child("serviceAccountSelector"), s.ServiceAccountSelector, maxSelector, false)
	c.types(spec.Child("types"), s.Types)
	hints := make(map[string]bool)
	for i, h := range s.PerformanceHints {
		c.oneOf(spec.Child("performanceHints").Index(i), h, "AssumeNeededOnEveryNode")
		c.once(spec.Child("performanceHints").Index(i), h, hints)
	}
	c.rules(spec.Child("ingress"), s.Ingress, ruleChecker{c, global, true})
	c.rules(spec.Child("egress"), s.Egress, ruleChecker{c, global, false})
}

func (c *checker) types(at *field.Path, types []string) {
	seen := make(map[string]bool)
	if types != nil && len(types) == 0 {
		c.Invalid(at, "[]", "should have at least 1 items")
	}
	for i, t := range types {
		c.oneOf(at.Index(i), t, "Ingress", "Egress")
		c.once(at.Index(i), t, seen)
	}
}

func (c *checker) rules(at *field.Path, rules []calicov3.Rule, check ruleChecker) {
	if !c.AtMost(at, len(rules), maxRules) {
		return
	}
	for i := range rules {
		if c.Full() {
			return
		}
		check.rule(at.Index(i), &rules[i])
	}
}
