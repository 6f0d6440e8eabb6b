package clause

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/planec/planec/ir"
)

// Asks is everything by which a policy tells pods and nodes apart, whether or not such
// ones exist. It is for commands that reason about pods which the input lacks.
type Asks struct {
	// Selections are the selectors of the policy: of its subject, and of either end of its
	// rules.
	Selections []Selection
	// Nodes are selectors of nodes by their labels.
	Nodes []labels.Selector
	// Networks are those of peers, with exceptions and with those of network sets.
	Networks []netip.Prefix
	// Names are the named ports, Ranges the numbers; Ranges may have protocols without
	// ports.
	Names  []PortName
	Ranges []ir.PortRange
	// OneNumber says that a named port means one number on a pod, the last one.
	OneNumber bool
	// Unordered says that the order of the policy's rules, and of policies, counts for
	// nothing where their ranks are equal.
	Unordered bool
	// Unsaid lists what conjunctions cannot say, each as a noun phrase.
	Unsaid []string
}

// Selection is a selector of pods at its place.
type Selection struct {
	Origin  ir.Origin
	Text    string // as the policy's author would write it
	Subject bool   // it says what the policy is about
	// Apart tells pods apart as the selector does: pods that meet the same ones are all
	// selected, or none is.
	Apart []Conjunction
	// Exact says that the selector is the union of Apart.
	Exact bool
	// Finds reports whether it selects anything of the input: pods, nodes or networks. It
	// is nil for subjects, and for what the policy does not write as a selector.
	Finds func() bool
}

// PortName is the name of a port; protocol 0 is any.
type PortName struct {
	Name     string
	Protocol ir.Protocol
}

// AccountKey stands for the name of a pod's service account among its labels: a pod
// without one lacks it.
const AccountKey = "planec.io/service-account"

// Conjunction selects pods: all of its requirements must hold. The name of the
// namespace counts as its label kubernetes.io/metadata.name, the name of the service
// account as the pod's label [AccountKey].
type Conjunction struct {
	namespace, pod []labels.Requirement
	never          bool
}

// Namespace returns the requirements for the namespace, as a selector of its labels.
func (c *Conjunction) Namespace() labels.Selector { return selectorOf(c.namespace) }

// Pod returns the requirements for the pod, as a selector of its labels.
func (c *Conjunction) Pod() labels.Selector { return selectorOf(c.pod) }

// Never reports that no pod can meet the requirements, because of what they ask for.
func (c *Conjunction) Never() bool { return c.never }

func selectorOf(r []labels.Requirement) labels.Selector {
	return labels.NewSelector().Add(r...)
}

// OfNamespace requires a label of the namespace.
func (c *Conjunction) OfNamespace(key string, op selection.Operator, values ...string) {
	c.namespace = c.require(c.namespace, key, op, values)
}

// Named requires a name of the namespace, which is always there.
func (c *Conjunction) Named(op selection.Operator, values ...string) {
	switch op {
	case selection.Exists:
	case selection.DoesNotExist:
		c.never = true
	default:
		c.OfNamespace(corev1.LabelMetadataName, op, values...)
	}
}

// OfPod requires a label of the pod.
func (c *Conjunction) OfPod(key string, op selection.Operator, values ...string) {
	c.pod = c.require(c.pod, key, op, values)
}

// OfAccount requires a name of the service account.
func (c *Conjunction) OfAccount(op selection.Operator, values ...string) {
	c.OfPod(AccountKey, op, values...)
}

// Constant requires a label that every pod has with the same value, or none has.
func (c *Conjunction) Constant(value string, there bool, op selection.Operator, values ...string) {
	holds := there
	switch op {
	case selection.In:
		holds = there && slices.Contains(values, value)
	case selection.NotIn:
		holds = !there || !slices.Contains(values, value)
	case selection.DoesNotExist:
		holds = !there
	}
	c.never = c.never || !holds
}

// require adds a requirement. No pod has a key or a value that no label can have.
func (c *Conjunction) require(to []labels.Requirement, key string, op selection.Operator, values []string) []labels.Requirement {
	possible := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return len(validation.IsValidLabelValue(v)) > 0 })
	if asks := op == selection.In || op == selection.NotIn; asks && len(possible) == 0 || len(validation.IsQualifiedName(key)) > 0 {
		c.Constant("", false, op)
		return to
	}
	if op == selection.In && len(possible) == 1 {
		op = selection.Equals // the text is that of a selector by a label
	}
	r, err := labels.NewRequirement(key, op, possible)
	if err != nil { // unreachable: key and values were looked at
		return to
	}
	return append(to, *r)
}
