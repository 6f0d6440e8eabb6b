package ir

import "net/netip"

// Program is the whole dataplane of one node.
type Program struct {
	Node      Node       `json:"node"`
	Frontends []Frontend `json:"frontends,omitempty"`
	Pools     []Pool     `json:"pools,omitempty"`
	// ClusterIPs are the addresses of Services. A packet to one of them, on a
	// protocol or port that is no frontend, is rejected.
	ClusterIPs   []netip.Addr  `json:"clusterIPs,omitempty"`
	Masquerade   Masquerade    `json:"masquerade"`
	HealthChecks []HealthCheck `json:"healthChecks,omitempty"`
	Policy       Policy        `json:"policy,omitzero"`
}

// Masquerade is the node's own egress rule (ip-masq-agent's): packets of an
// enabled family that leave for a destination which is neither the node's own
// nor excluded get the node's source address.
type Masquerade struct {
	Families []Family `json:"families,omitempty"`
	// Exclude are the destinations left alone; disjoint and sorted.
	Exclude []netip.Prefix `json:"exclude,omitempty"`
	Origin  Origin         `json:"origin,omitzero"`
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
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Family    Family `json:"family"`
	Port      uint16 `json:"port"`
	// LocalEndpoints counts the distinct addresses of ready endpoints on this
	// node; terminating endpoints do not count.
	LocalEndpoints int    `json:"localEndpoints"`
	Origin         Origin `json:"origin"`
}
