package ciliumv2

import "k8s.io/apimachinery/pkg/util/intstr"

// CIDRRule is a network, or groups of networks, without some parts.
type CIDRRule struct {
	CIDR              string    `json:"cidr,omitempty"`
	CIDRGroupRef      string    `json:"cidrGroupRef,omitempty"`      // the name of a CiliumCIDRGroup
	CIDRGroupSelector *Selector `json:"cidrGroupSelector,omitempty"` // by the groups' labels
	Except            []string  `json:"except,omitempty"`            // networks inside of CIDR
}

// CloudGroup is a group of a cloud's addresses.
type CloudGroup struct {
	AWS *AWSGroup `json:"aws,omitempty"`
}

// AWSGroup are instances of AWS.
type AWSGroup struct {
	Labels              map[string]string `json:"labels,omitempty"`
	SecurityGroupsIDs   []string          `json:"securityGroupsIds,omitempty"`
	SecurityGroupsNames []string          `json:"securityGroupsNames,omitempty"`
	Region              string            `json:"region,omitempty"`
}

// Service is a Service of Kubernetes, by name or by labels.
type Service struct {
	K8sServiceSelector *ServiceSelector `json:"k8sServiceSelector,omitempty"`
	K8sService         *ServiceName     `json:"k8sService,omitempty"`
}

// ServiceName is the name of a Service.
type ServiceName struct {
	ServiceName string `json:"serviceName,omitempty"`
	Namespace   string `json:"namespace,omitempty"` // "" is every namespace
}

// ServiceSelector selects Services by their labels.
type ServiceSelector struct {
	Selector  Selector `json:"selector"`
	Namespace string   `json:"namespace,omitempty"` // "" is every namespace
}

// FQDN is a DNS name, or a pattern of names.
type FQDN struct {
	MatchName    string `json:"matchName,omitempty"`
	MatchPattern string `json:"matchPattern,omitempty"`
}

// Authentication is what both ends must prove.
type Authentication struct {
	Mode string `json:"mode"` // "disabled", "required" or "test-always-fail"
}

// PortRule is a list of ports, and what a proxy checks on them. An empty list matches
// nothing.
type PortRule struct {
	Ports          []Port    `json:"ports,omitempty"`
	TerminatingTLS *TLS      `json:"terminatingTLS,omitempty"`
	OriginatingTLS *TLS      `json:"originatingTLS,omitempty"`
	ServerNames    []string  `json:"serverNames,omitzero"`
	Listener       *Listener `json:"listener,omitempty"`
	Rules          *L7Rules  `json:"rules,omitempty"`
}

// PortDenyRule is a list of ports.
type PortDenyRule struct {
	Ports []Port `json:"ports,omitempty"`
}

// Port is a port of a protocol.
type Port struct {
	Port     string `json:"port,omitempty"`     // a number or a name; "0" is every port
	EndPort  int32  `json:"endPort,omitempty"`  // the end of a range
	Protocol string `json:"protocol,omitempty"` // "" and "ANY" are TCP, UDP and SCTP
}

// TLS is how a proxy looks into TLS.
type TLS struct {
	Secret      *Secret `json:"secret"`
	TrustedCA   string  `json:"trustedCA,omitempty"`
	Certificate string  `json:"certificate,omitempty"`
	PrivateKey  string  `json:"privateKey,omitempty"`
}

// Secret is the name of a Secret.
type Secret struct {
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// Listener is a listener of a proxy that a CiliumEnvoyConfig has.
type Listener struct {
	EnvoyConfig *EnvoyConfig `json:"envoyConfig"`
	Name        string       `json:"name"`
	Priority    *int         `json:"priority,omitempty"` // 1 to 100
}

// EnvoyConfig is the object that has the listener.
type EnvoyConfig struct {
	Kind string `json:"kind,omitempty"`
	Name string `json:"name"`
}

// L7Rules is what a proxy checks: one of the lists is there.
type L7Rules struct {
	HTTP []HTTP `json:"http,omitzero"`
	DNS  []FQDN `json:"dns,omitzero"`
}

// HTTP is a match of requests; what is empty is not asked.
type HTTP struct {
	Path          string         `json:"path,omitempty"`   // a regular expression
	Method        string         `json:"method,omitempty"` // a regular expression
	Host          string         `json:"host,omitempty"`
	Headers       []string       `json:"headers,omitempty"`
	HeaderMatches []*HeaderMatch `json:"headerMatches,omitempty"`
}

// HeaderMatch is a match of a header.
type HeaderMatch struct {
	Mismatch string  `json:"mismatch,omitempty"` // "LOG", "ADD", "DELETE" or "REPLACE"
	Name     string  `json:"name"`
	Secret   *Secret `json:"secret,omitempty"`
	Value    string  `json:"value,omitempty"`
}

// ICMPRule is a list of ICMP types. An empty one matches nothing.
type ICMPRule struct {
	Fields []ICMPField `json:"fields,omitempty"`
}

// ICMPField is a type of ICMP or ICMPv6, by number or by name.
type ICMPField struct {
	Family string              `json:"family,omitempty"` // "IPv4", also if empty, or "IPv6"
	Type   *intstr.IntOrString `json:"type"`
}
