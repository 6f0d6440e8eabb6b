package manifest

import (
	stdjson "encoding/json"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/json"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// A policy with a field that the API does not have may not be used without it: a
// selector or a rule that lacks a part means more than it did. Such a policy becomes
// one that selects what it selected and accepts nothing, as ir/failsafe gives policies
// up. Where the field may be part of what it selects, the policy is left out.

// strangePolicy closes a policy that has unknown fields, and reports them; false means
// that it is left out.
func strangePolicy(out *outcome, t *text, at ir.Origin, o any, fields []strange) bool {
	if all(fields, inStatus) {
		reportStrange(out, diag.UnknownField, at, fields, "") // nothing reads a policy's status
		return true
	}
	if at.Namespace == "" && all(fields, isPeer) {
		// The compiler knows what to do with those: see [diag.UnknownPeer].
		reportStrange(out, diag.UnknownPolicyField, at, fields, "Until it is corrected, a rule accepts nothing by it, and a rule that denies denies everything")
		return true
	}
	doubts := doubtsOf(t.json, fields)
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

// isPeer reports whether the field is all that a peer or a protocol of a rule has, in a
// policy of administrators: one of a kind that came later.
func isPeer(f *strange) bool {
	s := f.steps
	return f.alone && len(s) == 6 && s[0].name == "spec" && s[2].isIndex && s[4].isIndex &&
		(s[3].name == "from" || s[3].name == "to" || s[3].name == "protocols")
}

// doubts are what unknown fields leave open.
type doubts struct {
	// selector is set when the field may be part of what is selected.
	selector bool
	// directions is set when it may be part of which directions the policy is about.
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
			// An absent podSelector selects all pods, where this is not it.
			other := len(steps) == 2 && fields[i].meant() != "" && fields[i].meant() != "podSelector"
			d.selector = d.selector || !pods && !subject && !other
			d.directions = d.directions || !types
		case steps[0].name == "metadata":
			// The namespace may be what is misspelt; cluster policies have none.
			d.selector = d.selector || has.Metadata.Namespace == "" && !subject
		}
	}
	return d
}

// closePolicy makes a policy accept nothing in the directions that it is about; both
// asks for both.
func closePolicy(o any, both bool) {
	switch p := o.(type) {
	case *networkingv1.NetworkPolicy:
		if both {
			p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
		}
		defaultNetworkPolicy(p) // what it is about depends on its rules
		p.Spec.Ingress, p.Spec.Egress = nil, nil
	case *policyv1beta1.ClusterNetworkPolicy:
		closeCluster(&p.Spec, both)
	case *policyv1alpha1.AdminNetworkPolicy:
		closeAdmin(&p.Spec, both)
	case *policyv1alpha1.BaselineAdminNetworkPolicy:
		closeBaseline(&p.Spec, both)
	}
}

// The policies of administrators have no default: a rule that denies, by a peer of a
// kind that is not known, denies everything.

func closeCluster(spec *policyv1beta1.ClusterNetworkPolicySpec, both bool) {
	in, out := directions(len(spec.Ingress), len(spec.Egress), both)
	spec.Ingress, spec.Egress = nil, nil
	if in {
		spec.Ingress = []policyv1beta1.ClusterNetworkPolicyIngressRule{{
			Action: policyv1beta1.ClusterNetworkPolicyRuleActionDeny,
			From:   make([]policyv1beta1.ClusterNetworkPolicyIngressPeer, 1),
		}}
	}
	if out {
		spec.Egress = []policyv1beta1.ClusterNetworkPolicyEgressRule{{
			Action: policyv1beta1.ClusterNetworkPolicyRuleActionDeny,
			To:     make([]policyv1beta1.ClusterNetworkPolicyEgressPeer, 1),
		}}
	}
}

func closeAdmin(spec *policyv1alpha1.AdminNetworkPolicySpec, both bool) {
	in, out := directions(len(spec.Ingress), len(spec.Egress), both)
	spec.Ingress, spec.Egress = nil, nil
	if in {
		spec.Ingress = []policyv1alpha1.AdminNetworkPolicyIngressRule{{Action: policyv1alpha1.AdminNetworkPolicyRuleActionDeny, From: make([]policyv1alpha1.AdminNetworkPolicyIngressPeer, 1)}}
	}
	if out {
		spec.Egress = []policyv1alpha1.AdminNetworkPolicyEgressRule{{Action: policyv1alpha1.AdminNetworkPolicyRuleActionDeny, To: make([]policyv1alpha1.AdminNetworkPolicyEgressPeer, 1)}}
	}
}

func closeBaseline(spec *policyv1alpha1.BaselineAdminNetworkPolicySpec, both bool) {
	in, out := directions(len(spec.Ingress), len(spec.Egress), both)
	spec.Ingress, spec.Egress = nil, nil
	if in {
		spec.Ingress = []policyv1alpha1.BaselineAdminNetworkPolicyIngressRule{{Action: policyv1alpha1.BaselineAdminNetworkPolicyRuleActionDeny, From: make([]policyv1alpha1.AdminNetworkPolicyIngressPeer, 1)}}
	}
	if out {
		spec.Egress = []policyv1alpha1.BaselineAdminNetworkPolicyEgressRule{{Action: policyv1alpha1.BaselineAdminNetworkPolicyRuleActionDeny, To: make([]policyv1alpha1.BaselineAdminNetworkPolicyEgressPeer, 1)}}
	}
}

// directions are those of a policy of administrators that has so many rules in each; one
// without any rule may have been about both.
func directions(ingress, egress int, both bool) (in, out bool) {
	both = both || ingress+egress == 0
	return both || ingress > 0, both || egress > 0
}
