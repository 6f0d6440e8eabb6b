package calicov3

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// The groups of Calico's objects: of its API, and of what it keeps.
const (
	Group    = "projectcalico.org"
	Version  = "v3"
	CRDGroup = "crd.projectcalico.org"
	CRD      = "v1"
)

// MetadataAnnotation of an object of crd.projectcalico.org has, as JSON, the metadata
// of the object of projectcalico.org that it stands for; its labels are those that
// count (libcalico-go/lib/backend/k8s/resources/resources.go).
const MetadataAnnotation = "projectcalico.org/metadata"

// NetworkPolicy is a policy of one namespace. planec calls its kind
// CalicoNetworkPolicy, which is its short name too, to tell it from Kubernetes' own.
type NetworkPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              PolicySpec `json:"spec"`
}

// GlobalNetworkPolicy is a policy of the whole cluster.
type GlobalNetworkPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              GlobalPolicySpec `json:"spec"`
}

// PolicySpec is what policies of both scopes have.
type PolicySpec struct {
	Tier   string   `json:"tier,omitempty"`  // "" is "default"
	Order  *float64 `json:"order,omitempty"` // nil is after all numbers
	Types  []string `json:"types,omitempty"` // "Ingress", "Egress"; nil depends on the rules
	Egress []Rule   `json:"egress,omitempty"`
	// Ingress and Egress are asked in their order.
	Ingress []Rule `json:"ingress,omitempty"`
	// Selector and ServiceAccountSelector choose the pods that the policy is about.
	Selector               string   `json:"selector,omitempty"`
	ServiceAccountSelector string   `json:"serviceAccountSelector,omitempty"`
	PerformanceHints       []string `json:"performanceHints,omitempty"` // changes nothing
}

// GlobalPolicySpec is what only policies of the whole cluster have, besides the rest.
type GlobalPolicySpec struct {
	PolicySpec        `json:",inline"`
	NamespaceSelector string `json:"namespaceSelector,omitempty"`
	// DoNotTrack and PreDNAT make a policy for host endpoints alone.
	DoNotTrack     bool `json:"doNotTrack,omitempty"`
	PreDNAT        bool `json:"preDNAT,omitempty"`
	ApplyOnForward bool `json:"applyOnForward,omitempty"`
}

// Rule is a rule of a policy: a packet matches it if it matches all that it says.
type Rule struct {
	Action      string              `json:"action"`                // "Allow", "Deny", "Pass" or "Log"
	IPVersion   *int                `json:"ipVersion,omitempty"`   // 4 or 6
	Protocol    *intstr.IntOrString `json:"protocol,omitempty"`    // a name, such as "TCP", or 1 to 255
	NotProtocol *intstr.IntOrString `json:"notProtocol,omitempty"` // as Protocol
	ICMP        *ICMP               `json:"icmp,omitempty"`
	NotICMP     *ICMP               `json:"notICMP,omitempty"`
	Source      Entity              `json:"source,omitzero"`
	Destination Entity              `json:"destination,omitzero"`
	HTTP        *HTTP               `json:"http,omitempty"` // the business of a proxy
	Metadata    *RuleMetadata       `json:"metadata,omitempty"`
}

// ICMP is a type of ICMP messages, or one code of it.
type ICMP struct {
	Type *int `json:"type,omitempty"` // 0 to 254
	Code *int `json:"code,omitempty"` // 0 to 255; nil is every code
}

// Entity is one end of a connection. An empty one is everybody.
type Entity struct {
	Nets              []string             `json:"nets,omitempty"` // CIDRs
	NotNets           []string             `json:"notNets,omitempty"`
	Selector          string               `json:"selector,omitempty"`
	NotSelector       string               `json:"notSelector,omitempty"`
	NamespaceSelector string               `json:"namespaceSelector,omitempty"`
	ServiceAccounts   *ServiceAccounts     `json:"serviceAccounts,omitempty"`
	Services          *Service             `json:"services,omitempty"`
	Ports             []intstr.IntOrString `json:"ports,omitempty"` // 80, "8000:8080" or a name
	NotPorts          []intstr.IntOrString `json:"notPorts,omitempty"`
}

// ServiceAccounts are service accounts by name and by label; what is empty is not asked.
type ServiceAccounts struct {
	Names    []string `json:"names,omitempty"`
	Selector string   `json:"selector,omitempty"`
}

// Service is a Service of Kubernetes, which stands for its endpoints.
type Service struct {
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

// HTTP is a match of requests.
type HTTP struct {
	Methods []string   `json:"methods,omitempty"`
	Paths   []HTTPPath `json:"paths,omitempty"`
}

// HTTPPath is a path, or the start of one.
type HTTPPath struct {
	Exact  string `json:"exact,omitempty"`
	Prefix string `json:"prefix,omitempty"`
}

// RuleMetadata is what people note at a rule.
type RuleMetadata struct {
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Tier is a group of policies with a place among others.
type Tier struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              TierSpec   `json:"spec"`
	Status            TierStatus `json:"status,omitzero"`
}

// TierSpec is the place of a tier, and what it does in the end.
type TierSpec struct {
	Order         *float64 `json:"order,omitempty"`         // nil is after all numbers
	DefaultAction string   `json:"defaultAction,omitempty"` // "Deny", also if empty, or "Pass"
}

// TierStatus is not read.
type TierStatus struct {
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// NetworkSet is a list of networks of one namespace, with labels.
type NetworkSet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              NetworkSetSpec `json:"spec"`
}

// GlobalNetworkSet is a list of networks of no namespace, with labels.
type GlobalNetworkSet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              NetworkSetSpec `json:"spec"`
}

// NetworkSetSpec has the networks.
type NetworkSetSpec struct {
	Nets []string `json:"nets,omitempty"` // CIDRs, of which host bits are ignored, or addresses
}
