package manifest

import (
	stdjson "encoding/json"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/json"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"

	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// A policy with an unknown field must not be used without it: a selector or a rule
// that lacks a part matches more. Such a policy keeps its selection and accepts
// nothing, like policies that ir/failsafe gives up. If the field may belong to the
// selection, the policy is left out.

// strangePolicy closes a policy with unknown fields and reports them; false means that
// it is left out.
func strangePolicy(out *outcome, t *text, at ir.Origin, o any, fields []strange) bool {
	if all(fields, inStatus) {
		reportStrange(out, diag.UnknownField, at, fields, "") // nothing reads a policy's status
		return true
	}
	if at.Namespace == "" && all(fields, isPeer) {
		// The compiler handles these: see [diag.UnknownPeer].
		reportStrange(out, diag.UnknownPolicyField, at, fields, "Until it is corrected, a rule accepts nothing by it, and a rule that denies denies everything")
		return true
	}
	doubts := doubtsOf(t.json, fields)
	switch {
	case slices.Contains(needSpec, at.Kind):
		doubts = calicoDoubts(fields)
	case strings.HasPrefix(at.Kind, "Cilium"):
		doubts = ciliumDoubts(fields)
	}
	if doubts.selector {
		reportStrange(out, diag.UnknownPolicyField, at, fields, "What the policy selects cannot be known: it was left out, and closes nothing")
		return false
	}
	closePolicy(o, doubts.directions)
	reportStrange(out, diag.UnknownPolicyField, at, fields, "Until it is corrected, the policy accepts nothing and closes what it selects")
	return true
}

func all(fields []strange, which func(*strange) bool) bool {
	return !slices.ContainsFunc(fields, func(f strange) bool { return !which(&f) })
}

func inStatus(f *strange) bool { return f.steps[0].name == "status" }

// isPeer reports whether the field is the only content of a peer or a protocol in a
// rule of an administrator's policy: a kind that a later version of the API added.
func isPeer(f *strange) bool {
	s := f.steps
	return f.alone && len(s) == 6 && s[0].name == "spec" && s[2].isIndex && s[4].isIndex &&
		(s[3].name == "from" || s[3].name == "to" || s[3].name == "protocols")
}

// doubts are the questions that unknown fields leave open.
type doubts struct {
	// selector reports that the field may belong to the selection.
	selector bool
	// directions reports that it may belong to the policy's directions.
	directions bool
}

func doubtsOf(text []byte, fields []strange) doubts {
	var has struct {
		Metadata struct {
			Namespace string `json:"namespace"`
		} `json:"metadata"`
		Spec map[string]stdjson.RawMessage `json:"spec"`
	}
	_ = json.UnmarshalCaseSensitivePreserveInts(text, &has) // it was decoded before
	_, pods := has.Spec["podSelector"]
	_, subject := has.Spec["subject"]
	_, types := has.Spec["policyTypes"]
	var d doubts
	for i := range fields {
		steps := fields[i].steps
		inSpec := len(steps) > 1 && steps[0].name == "spec"
		switch {
		case inSpec && (steps[1].name == "podSelector" || steps[1].name == "subject"):
			d.selector = true
		case fields[i].repeated:
			d.directions = d.directions || steps[1].name == "policyTypes"
		case len(steps) == 1 || len(steps) == 2 && inSpec:
			// A missing podSelector selects all pods, so this field may be a misspelt one.
			other := len(steps) == 2 && fields[i].meant() != "" && fields[i].meant() != "podSelector"
			d.selector = d.selector || !pods && !subject && !other
			d.directions = d.directions || !types
		case steps[0].name == "metadata":
			// The namespace may be the misspelt field; cluster policies have none.
			d.selector = d.selector || has.Metadata.Namespace == "" && !subject
		}
	}
	return d
}

// closePolicy makes a policy accept nothing in its directions; both closes both.
func closePolicy(o any, both bool) {
	switch p := o.(type) {
	case *ciliumv2.NetworkPolicy:
		closeCilium(p.Spec, p.Specs, both)
	case *ciliumv2.ClusterwideNetworkPolicy:
		closeCilium(p.Spec, p.Specs, both)
	case *calicov3.NetworkPolicy:
		closeCalico(&p.Spec, both)
	case *calicov3.GlobalNetworkPolicy:
		closeCalico(&p.Spec.PolicySpec, both)
	case *networkingv1.NetworkPolicy:
		if both {
			p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
		}
		defaultNetworkPolicy(p) // its directions depend on its rules
		p.Spec.Ingress, p.Spec.Egress = nil, nil
	case *policyv1beta1.ClusterNetworkPolicy:
		const deny = policyv1beta1.ClusterNetworkPolicyRuleActionDeny
		closeRules(&p.Spec.Ingress, &p.Spec.Egress,
			policyv1beta1.ClusterNetworkPolicyIngressRule{Action: deny, From: make([]policyv1beta1.ClusterNetworkPolicyIngressPeer, 1)},
			policyv1beta1.ClusterNetworkPolicyEgressRule{Action: deny, To: make([]policyv1beta1.ClusterNetworkPolicyEgressPeer, 1)}, both)
	case *policyv1alpha1.AdminNetworkPolicy:
		const deny = policyv1alpha1.AdminNetworkPolicyRuleActionDeny
		closeRules(&p.Spec.Ingress, &p.Spec.Egress,
			policyv1alpha1.AdminNetworkPolicyIngressRule{Action: deny, From: make([]policyv1alpha1.AdminNetworkPolicyIngressPeer, 1)},
			policyv1alpha1.AdminNetworkPolicyEgressRule{Action: deny, To: make([]policyv1alpha1.AdminNetworkPolicyEgressPeer, 1)}, both)
	case *policyv1alpha1.BaselineAdminNetworkPolicy:
		const deny = policyv1alpha1.BaselineAdminNetworkPolicyRuleActionDeny
		closeRules(&p.Spec.Ingress, &p.Spec.Egress,
			policyv1alpha1.BaselineAdminNetworkPolicyIngressRule{Action: deny, From: make([]policyv1alpha1.AdminNetworkPolicyIngressPeer, 1)},
			policyv1alpha1.BaselineAdminNetworkPolicyEgressRule{Action: deny, To: make([]policyv1alpha1.BaselineAdminNetworkPolicyEgressPeer, 1)}, both)
	}
}

// closeRules makes an administrator's policy deny by one rule in each of its
// directions. These policies have no default verdict; a deny rule with a peer of an
// unknown kind denies everything. A policy without rules may have been meant for both.
func closeRules[I, E any](ingress *[]I, egress *[]E, denyIn I, denyOut E, both bool) {
	both = both || len(*ingress)+len(*egress) == 0
	in, out := both || len(*ingress) > 0, both || len(*egress) > 0
	*ingress, *egress = nil, nil
	if in {
		*ingress = []I{denyIn}
	}
	if out {
		*egress = []E{denyOut}
	}
}
