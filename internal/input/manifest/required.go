package manifest

import (
	"fmt"
	"slices"

	"sigs.k8s.io/json"

	"github.com/planec/planec/compiler/objects"
)

// The custom resource definitions of the admin policies require the fields below,
// but the Go types have no pointers for them: without one, a missing priority
// would be 0, before all others, and a missing podSelector would select every
// pod. Validation checks other required fields, whose absence the Go types show.

// needSpec are the kinds whose definitions only require a spec.
var needSpec = []string{objects.KindCalicoNetworkPolicy, "GlobalNetworkPolicy", "Tier", "NetworkSet", "GlobalNetworkSet"}

// absentSpec returns "spec" if the valid JSON of an object has none.
func absentSpec(text []byte) string {
	var p struct {
		Spec *struct{} `json:"spec"`
	}
	if json.UnmarshalCaseSensitivePreserveInts(text, &p) == nil && p.Spec == nil {
		return "spec"
	}
	return ""
}

// presence is the shape of an admin policy, with pointers for the fields that may be missing.
type presence struct {
	Spec struct {
		Priority *int32        `json:"priority"`
		Subject  presentPeer   `json:"subject"`
		Ingress  []presentRule `json:"ingress"`
		Egress   []presentRule `json:"egress"`
	} `json:"spec"`
}

type presentRule struct {
	From []presentPeer `json:"from"`
	To   []presentPeer `json:"to"`
}

type presentPeer struct {
	Pods *struct {
		NamespaceSelector *struct{} `json:"namespaceSelector"`
		PodSelector       *struct{} `json:"podSelector"`
	} `json:"pods"`
}

// absentField returns the path of a required field that the valid JSON of an admin policy
// lacks, or "". In v1beta1 and v1alpha2 a missing namespaceSelector equals an empty one.
func absentField(kind string, text []byte) string {
	if slices.Contains(needSpec, kind) {
		return absentSpec(text)
	}
	if isCiliumKind(kind) {
		return absentCilium(kind, text)
	}
	v1alpha1 := kind == "AdminNetworkPolicy" || kind == "BaselineAdminNetworkPolicy"
	if !v1alpha1 && kind != "ClusterNetworkPolicy" {
		return ""
	}
	var p presence
	if json.UnmarshalCaseSensitivePreserveInts(text, &p) != nil {
		return ""
	}
	if p.Spec.Priority == nil && kind != "BaselineAdminNetworkPolicy" {
		return "spec.priority"
	}
	if name := p.Spec.Subject.absent(v1alpha1); name != "" {
		return "spec.subject." + name
	}
	for i, rule := range p.Spec.Ingress {
		for j, peer := range rule.From {
			if name := peer.absent(v1alpha1); name != "" {
				return fmt.Sprintf("spec.ingress[%d].from[%d].%s", i, j, name)
			}
		}
	}
	for i, rule := range p.Spec.Egress {
		for j, peer := range rule.To {
			if name := peer.absent(v1alpha1); name != "" {
				return fmt.Sprintf("spec.egress[%d].to[%d].%s", i, j, name)
			}
		}
	}
	return ""
}

func (p presentPeer) absent(v1alpha1 bool) string {
	switch {
	case p.Pods == nil:
	case p.Pods.PodSelector == nil:
		return "pods.podSelector"
	case p.Pods.NamespaceSelector == nil && v1alpha1:
		return "pods.namespaceSelector"
	}
	return ""
}
