package ciliumv2

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The group of Cilium's objects, and its versions. CiliumCIDRGroup has the same fields in
// both.
const (
	Group   = "cilium.io"
	Version = "v2"
	Alpha   = "v2alpha1"
)

// The kinds of Cilium that are read.
const (
	KindNetworkPolicy            = "CiliumNetworkPolicy"
	KindClusterwideNetworkPolicy = "CiliumClusterwideNetworkPolicy"
	KindCIDRGroup                = "CiliumCIDRGroup"
)

// NetworkPolicy is a CiliumNetworkPolicy: of one namespace.
type NetworkPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              *Rule          `json:"spec,omitempty"`
	Specs             []*Rule        `json:"specs,omitzero"`   // each of them is a policy of its own
	Status            map[string]any `json:"status,omitempty"` // is not read
}

// ClusterwideNetworkPolicy is a CiliumClusterwideNetworkPolicy: of the whole cluster.
type ClusterwideNetworkPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              *Rule          `json:"spec,omitempty"`
	Specs             []*Rule        `json:"specs,omitzero"`   // each of them is a policy of its own
	Status            map[string]any `json:"status,omitempty"` // is not read
}

// CIDRGroup is a CiliumCIDRGroup: networks outside of the cluster, with labels.
type CIDRGroup struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              CIDRGroupSpec `json:"spec"`
}

// CIDRGroupSpec has the networks.
type CIDRGroupSpec struct {
	ExternalCIDRs []string `json:"externalCIDRs"` // nil is refused
}

// Rule is one policy. It has one of the selectors.
type Rule struct {
	EndpointSelector *Selector `json:"endpointSelector,omitempty"` // pods
	NodeSelector     *Selector `json:"nodeSelector,omitempty"`     // nodes themselves, in a policy of the whole cluster

	Ingress     []IngressRule     `json:"ingress,omitzero"`
	IngressDeny []IngressDenyRule `json:"ingressDeny,omitzero"`
	Egress      []EgressRule      `json:"egress,omitzero"`
	EgressDeny  []EgressDenyRule  `json:"egressDeny,omitzero"`

	Labels            []Label      `json:"labels,omitempty"` // of the policy, for people
	EnableDefaultDeny *DefaultDeny `json:"enableDefaultDeny,omitempty"`
	Description       string       `json:"description,omitempty"`
	Log               *Log         `json:"log,omitempty"` // of Hubble, changes no verdict
}

// DefaultDeny says whether a policy isolates, by direction; nil is true where the policy
// has rules.
type DefaultDeny struct {
	Ingress *bool `json:"ingress,omitempty"`
	Egress  *bool `json:"egress,omitempty"`
}

// Log is a text for Hubble.
type Log struct {
	Value string `json:"value,omitempty"`
}

// Label is a label of a policy.
type Label struct {
	Key    string `json:"key"`
	Value  string `json:"value,omitempty"`
	Source string `json:"source,omitempty"`
}

// Selector is a selector of labels. Keys may have a source, as in "k8s:app".
type Selector struct {
	MatchLabels      map[string]string `json:"matchLabels,omitempty"`
	MatchExpressions []Requirement     `json:"matchExpressions,omitempty"`
}

// Requirement is one expression of a selector.
type Requirement struct {
	Key      string   `json:"key"`
	Operator string   `json:"operator"` // "In", "NotIn", "Exists" or "DoesNotExist"
	Values   []string `json:"values,omitempty"`
}

// IngressRule allows packets to the selected pods.
type IngressRule struct {
	IngressCommon  `json:",inline"`
	ToPorts        []PortRule      `json:"toPorts,omitzero"`
	ICMPs          []ICMPRule      `json:"icmps,omitzero"`
	Authentication *Authentication `json:"authentication,omitempty"`
}

// IngressDenyRule denies packets to the selected pods.
type IngressDenyRule struct {
	IngressCommon `json:",inline"`
	ToPorts       []PortDenyRule `json:"toPorts,omitzero"`
	ICMPs         []ICMPRule     `json:"icmps,omitzero"`
}

// IngressCommon has the peers of ingress: one list at most has items.
type IngressCommon struct {
	FromEndpoints []Selector   `json:"fromEndpoints,omitzero"`
	FromRequires  []string     `json:"fromRequires,omitzero"` // gone: only the empty list is accepted
	FromCIDR      []string     `json:"fromCIDR,omitzero"`
	FromCIDRSet   []CIDRRule   `json:"fromCIDRSet,omitzero"`
	FromEntities  []string     `json:"fromEntities,omitzero"`
	FromGroups    []CloudGroup `json:"fromGroups,omitzero"`
	FromNodes     []Selector   `json:"fromNodes,omitzero"`
}

// EgressRule allows packets that the selected pods send.
type EgressRule struct {
	EgressCommon   `json:",inline"`
	ToPorts        []PortRule      `json:"toPorts,omitzero"`
	ToFQDNs        []FQDN          `json:"toFQDNs,omitzero"`
	ICMPs          []ICMPRule      `json:"icmps,omitzero"`
	Authentication *Authentication `json:"authentication,omitempty"`
}

// EgressDenyRule denies packets that the selected pods send.
type EgressDenyRule struct {
	EgressCommon `json:",inline"`
	ToPorts      []PortDenyRule `json:"toPorts,omitzero"`
	ICMPs        []ICMPRule     `json:"icmps,omitzero"`
}

// EgressCommon has the peers of egress: one list at most has items.
type EgressCommon struct {
	ToEndpoints []Selector   `json:"toEndpoints,omitzero"`
	ToRequires  []string     `json:"toRequires,omitzero"` // gone: only the empty list is accepted
	ToCIDR      []string     `json:"toCIDR,omitzero"`
	ToCIDRSet   []CIDRRule   `json:"toCIDRSet,omitzero"`
	ToEntities  []string     `json:"toEntities,omitzero"`
	ToServices  []Service    `json:"toServices,omitzero"`
	ToGroups    []CloudGroup `json:"toGroups,omitzero"`
	ToNodes     []Selector   `json:"toNodes,omitzero"`
}
