package ir

import (
	"net/netip"
	"strconv"
)

// Frontend is one address (or the node's own nodePort addresses) with a
// protocol and a port, whose new connections are given an endpoint.
type Frontend struct {
	// ID is "namespace/name/port/protocol/kind/where": port is "-" for an
	// unnamed one, where is the address, or the family for a nodePort. It is
	// unique in a program.
	ID   string       `json:"id"`
	Kind FrontendKind `json:"kind"` // which of the Service's addresses it is: ClusterIP, NodePort, ...
	// Service is the Service port the frontend belongs to. Frontends with an
	// equal Service share one affinity per client.
	Service ServicePort `json:"service"`
	Match   Match       `json:"match"` // the packets that it takes
	// SourceRanges, when there are any, are the only sources served; packets
	// from elsewhere are dropped before anything else is decided, whatever the
	// endpoints are. The prefixes are disjoint and sorted.
	SourceRanges []netip.Prefix `json:"sourceRanges,omitempty"`
	// Affinity is for how many seconds after its last new connection a client
	// address keeps its endpoint (sessionAffinity ClientIP); 0 is no affinity.
	Affinity uint32 `json:"affinity,omitempty"`
	// Internal is the route of packets from local pods (as Node.Local
	// recognises them) and from the node's own addresses, External that of all
	// others.
	Internal Route `json:"internal"`
	External Route `json:"external"` // the route of packets from elsewhere
	// Elsewhere says that the address is another node's or an endpoint's: its other
	// ports are to be reached from here, so that the address must not become the
	// node's own.
	Elsewhere bool `json:"elsewhere,omitempty"`
	// Lasting are the endpoints that still serve and that neither route gives to
	// new connections: they terminate, or a traffic policy, a hint or readiness
	// keeps them out of the pools. Flows to them go on, as to those of the pools;
	// flows to all other endpoints are stale. TCP notices by itself and has none.
	// They are sorted, each once.
	Lasting []netip.AddrPort `json:"lasting,omitempty"`
	Origin  Origin           `json:"origin"` // the field of the Service that gives the address
}

// FrontendKind is where a frontend's address comes from.
type FrontendKind uint8

// The kinds, in canonical order, which is also their precedence where two
// frontends of one Service have the same match: a load-balancer address that is
// an external IP too keeps its source ranges.
const (
	ClusterIP FrontendKind = iota + 1
	LoadBalancer
	ExternalIP
	NodePort
)

// FrontendKinds lists them in canonical order.
func FrontendKinds() []FrontendKind {
	return []FrontendKind{ClusterIP, LoadBalancer, ExternalIP, NodePort}
}

// String returns "cluster-ip", "load-balancer", "external-ip" or "node-port".
func (k FrontendKind) String() string {
	switch k {
	case ClusterIP:
		return "cluster-ip"
	case ExternalIP:
		return "external-ip"
	case LoadBalancer:
		return "load-balancer"
	case NodePort:
		return "node-port"
	}
	return "frontend-kind(" + strconv.Itoa(int(k)) + ")"
}

// MarshalText implements encoding.TextMarshaler.
func (k FrontendKind) MarshalText() ([]byte, error) {
	return marshalEnum(k, "frontend kind", FrontendKinds())
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *FrontendKind) UnmarshalText(b []byte) error {
	return parseEnum(k, string(b), "frontend kind", FrontendKinds())
}

// ServicePort names one port of one Service. Port is the port's name and is
// empty for the only, unnamed port.
type ServicePort struct {
	Namespace string   `json:"namespace"`      // the Service's namespace
	Name      string   `json:"name"`           // the Service's name
	Port      string   `json:"port,omitempty"` // the port's name, "" for the only, unnamed port
	Protocol  Protocol `json:"protocol"`       // TCP, UDP or SCTP
}

// String returns "namespace/name:port/protocol".
func (s ServicePort) String() string {
	port := ""
	if s.Port != "" {
		port = ":" + s.Port
	}
	return s.Namespace + "/" + s.Name + port + "/" + s.Protocol.String()
}

// Match is what a packet must look like to belong to a frontend. For a NodePort
// frontend Address is the zero Addr and the destination must be one of the
// node's nodePort addresses (Node.NodePorts) of the family; where an address
// and a nodePort frontend both fit, the address wins.
type Match struct {
	Family   Family     `json:"family"`           // IPv4 or IPv6; that of Address where there is one
	Address  netip.Addr `json:"address,omitzero"` // the destination; the zero Addr is the node's nodePort addresses
	Protocol Protocol   `json:"protocol"`         // TCP, UDP or SCTP
	Port     uint16     `json:"port"`             // the destination port, 1 to 65535
}

// String returns "address:port/protocol", with "*4" or "*6" for the node's own
// addresses.
func (m Match) String() string {
	host := "*" + strconv.Itoa(int(m.Family))
	if m.Address.IsValid() {
		host = m.Address.String()
		if m.Address.Is6() {
			host = "[" + host + "]"
		}
	}
	return host + ":" + strconv.Itoa(int(m.Port)) + "/" + m.Protocol.String()
}

// Route is what happens to a packet of a frontend, for one kind of source.
type Route struct {
	// Pool is the ID of the pool that an endpoint is taken from.
	Pool string `json:"pool"`
	// Masquerade says whether the packet leaves with the node's own address as
	// its source.
	Masquerade MasqueradeRule `json:"masquerade"`
	// OnEmpty is the verdict while the pool has no endpoints.
	OnEmpty Refusal `json:"onEmpty"`
}

// MasqueradeRule says which packets of a route get the node's source address.
type MasqueradeRule uint8

// The rules. "Local source" is a source that Node.Local recognises as a pod of
// this node; the node's own addresses are not local sources.
const (
	MasqueradeNever MasqueradeRule = iota + 1
	MasqueradeUnlessLocalSource
	MasqueradeAlways
)

// MasqueradeRules lists them in canonical order.
func MasqueradeRules() []MasqueradeRule {
	return []MasqueradeRule{MasqueradeNever, MasqueradeUnlessLocalSource, MasqueradeAlways}
}

// String returns "never", "unless-local-source" or "always".
func (m MasqueradeRule) String() string {
	switch m {
	case MasqueradeNever:
		return "never"
	case MasqueradeUnlessLocalSource:
		return "unless-local-source"
	case MasqueradeAlways:
		return "always"
	}
	return "masquerade-rule(" + strconv.Itoa(int(m)) + ")"
}

// MarshalText implements encoding.TextMarshaler.
func (m MasqueradeRule) MarshalText() ([]byte, error) {
	return marshalEnum(m, "masquerade rule", MasqueradeRules())
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *MasqueradeRule) UnmarshalText(b []byte) error {
	return parseEnum(m, string(b), "masquerade rule", MasqueradeRules())
}

// Refusal is how a packet is refused: by a route without endpoints, or by a
// policy.
type Refusal uint8

// The actions: Reject answers (ICMP port unreachable), Drop is silent.
const (
	Reject Refusal = iota + 1
	Drop
)

// Refusals lists them in canonical order.
func Refusals() []Refusal { return []Refusal{Reject, Drop} }

// String returns "reject" or "drop".
func (a Refusal) String() string {
	switch a {
	case Reject:
		return "reject"
	case Drop:
		return "drop"
	}
	return "refusal(" + strconv.Itoa(int(a)) + ")"
}

// MarshalText implements encoding.TextMarshaler.
func (a Refusal) MarshalText() ([]byte, error) {
	return marshalEnum(a, "refusal", Refusals())
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Refusal) UnmarshalText(b []byte) error {
	return parseEnum(a, string(b), "refusal", Refusals())
}
