package ir

import (
	"net/netip"
	"slices"
)

// Program is the whole dataplane of one node.
type Program struct {
	Node      Node       `json:"node"`                // the facts of the node
	Frontends []Frontend `json:"frontends,omitempty"` // sorted by ID
	Pools     []Pool     `json:"pools,omitempty"`     // sorted by ID; every route refers to one of them
	// ClusterIPs are the addresses of Services. A packet to one of them without
	// a frontend for its protocol and port is rejected.
	ClusterIPs   []netip.Addr  `json:"clusterIPs,omitempty"`
	Masquerade   Masquerade    `json:"masquerade"`             // the node's own egress rule, independent of Services
	HealthChecks []HealthCheck `json:"healthChecks,omitempty"` // sorted by namespace, name and family
	Policy       Policy        `json:"policy,omitzero"`        // the zero value if no policy selects a pod of this node
}

// Masquerade is the node's own egress rule (ip-masq-agent's): packets of an
// enabled family whose destination is neither an address of the node nor
// excluded get the node's source address.
type Masquerade struct {
	Families []Family `json:"families,omitempty"` // the enabled families; the rule is off if there are none
	// Exclude are destinations without masquerade; disjoint and sorted.
	Exclude []netip.Prefix `json:"exclude,omitempty"`
	Origin  Origin         `json:"origin,omitzero"` // the ip-masq-agent configuration behind it
}

// Enabled reports whether packets of the family are masqueraded.
func (m Masquerade) Enabled(f Family) bool { return slices.Contains(m.Families, f) }

// HealthCheck is the answer to an external load balancer, over one family, on a
// Service's healthCheckNodePort: the node is healthy while LocalEndpoints is
// not 0 (KEP-27, pkg/proxy/healthcheck of Kubernetes).
type HealthCheck struct {
	Namespace string `json:"namespace"` // the Service's namespace
	Name      string `json:"name"`      // the Service's name
	Family    Family `json:"family"`    // the family of the nodePort addresses that answer
	Port      uint16 `json:"port"`      // the healthCheckNodePort
	// LocalEndpoints counts the distinct addresses of ready, non-terminating
	// endpoints on this node.
	LocalEndpoints int    `json:"localEndpoints"`
	Origin         Origin `json:"origin"` // the Service's field
}
