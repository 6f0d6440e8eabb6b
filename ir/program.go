package ir

import "net/netip"

// Program is the whole dataplane of one node.
type Program struct {
	Node      Node       `json:"node"`                // the facts of the node
	Frontends []Frontend `json:"frontends,omitempty"` // sorted by ID
	Pools     []Pool     `json:"pools,omitempty"`     // sorted by ID; every route names one of them
	// ClusterIPs are the addresses of Services. A packet to one of them, on a
	// protocol or port that is no frontend, is rejected.
	ClusterIPs   []netip.Addr  `json:"clusterIPs,omitempty"`
	Masquerade   Masquerade    `json:"masquerade"`             // the node's own egress rule, apart from Services
	HealthChecks []HealthCheck `json:"healthChecks,omitempty"` // sorted by namespace, name and family
	Policy       Policy        `json:"policy,omitzero"`        // the zero value where no policy selects a pod of this node
}

// Masquerade is the node's own egress rule (ip-masq-agent's): packets of an
// enabled family that leave for a destination which is neither the node's own
// nor excluded get the node's source address.
type Masquerade struct {
	Families []Family `json:"families,omitempty"` // those that the rule is enabled for; none is no rule
	// Exclude are the destinations left alone; disjoint and sorted.
	Exclude []netip.Prefix `json:"exclude,omitempty"`
	Origin  Origin         `json:"origin,omitzero"` // the ip-masq-agent configuration that asks for it
}

// Enabled reports whether packets of the family are masqueraded at all.
func (m Masquerade) Enabled(f Family) bool {
	for _, have := range m.Families {
		if have == f {
			return true
		}
	}
	return false
}

// HealthCheck is the answer an external load balancer gets, over one family, on
// a Service's healthCheckNodePort: this node serves while LocalEndpoints is not
// 0 (KEP-27, pkg/proxy/healthcheck of Kubernetes).
type HealthCheck struct {
	Namespace string `json:"namespace"` // the Service's namespace
	Name      string `json:"name"`      // the Service's name
	Family    Family `json:"family"`    // that of the nodePort addresses that answer
	Port      uint16 `json:"port"`      // the healthCheckNodePort
	// LocalEndpoints counts the distinct addresses of ready endpoints on this
	// node; terminating endpoints do not count.
	LocalEndpoints int    `json:"localEndpoints"`
	Origin         Origin `json:"origin"` // the Service's field
}
