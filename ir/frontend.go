package ir

import (
	"net/netip"
	"strconv"
)

// Frontend is one address (or the node's own nodePort addresses) with a
// protocol and a port, whose new connections get an endpoint.
type Frontend struct {
	// ID is "namespace/name/port/protocol/kind/where": port is "-" for an
	// unnamed one, where is the address, or the family for a nodePort. It is
	// unique in a program.
	ID   string       `json:"id"`
	Kind FrontendKind `json:"kind"` // the address's role in the Service: ClusterIP, NodePort, ...
	// Service is the Service port the frontend belongs to. Frontends with an
	// equal Service share one affinity per client.
	Service ServicePort `json:"service"`
	Match   Match       `json:"match"` // the packets of this frontend
	// SourceRanges, if not empty, are the only sources that are served; packets
	// from other sources are dropped before any other decision, whatever the
	// endpoints are. The prefixes are disjoint and sorted.
	SourceRanges []netip.Prefix `json:"sourceRanges,omitempty"`
	// Affinity is how many seconds after its last new connection a client
	// address keeps its endpoint (sessionAffinity ClientIP); 0 is no affinity.
	Affinity uint32 `json:"affinity,omitempty"`
	// Internal is the route of packets from local pods (as Node.Local recognises
	// them) and from the node's own addresses. External is the route of all
	// other packets.
	Internal Route `json:"internal"`
	External Route `json:"external"` // the route of packets from elsewhere
	// Elsewhere says that the address belongs to another node or to an endpoint.
	// Its other ports must stay reachable, so the address must not become one of
	// the node's own.
	Elsewhere bool `json:"elsewhere,omitempty"`
	// Lasting are the serving endpoints that neither route gives to new
	// connections, because they terminate or because a traffic policy, a hint or
	// readiness excludes them. Flows to them and to endpoints of the pools
	// continue; flows to any other endpoint are stale. It is empty for TCP, which
	// notices a lost endpoint itself. It is sorted, without duplicates.
	Lasting []netip.AddrPort `json:"lasting,omitempty"`
	Origin  SharedOrigin     `json:"origin"` // the field of the Service with the address
}

// FrontendKind is the source of a frontend's address.
type FrontendKind uint8

// The kinds, in canonical order. The order is also the precedence of two
// frontends of one Service with the same match: a load-balancer address that is
// also an external IP keeps its source ranges.
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

var frontendKinds = enum[FrontendKind]{"frontend kind", "frontend-kind", []string{"cluster-ip", "load-balancer", "external-ip", "node-port"}}

// String returns "cluster-ip", "load-balancer", "external-ip" or "node-port".
func (k FrontendKind) String() string { return frontendKinds.text(k) }

// MarshalText implements encoding.TextMarshaler.
func (k FrontendKind) MarshalText() ([]byte, error) { return frontendKinds.marshal(k) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *FrontendKind) UnmarshalText(b []byte) error { return frontendKinds.parse(k, b) }

// ServicePort names one port of one Service. Port is the port's name, "" for
// an only, unnamed port.
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

// Match selects the packets of a frontend. For a NodePort frontend, Address is
// the zero Addr, and the destination must be one of the node's nodePort
// addresses (Node.NodePorts) of the family. If both an address and a nodePort
// frontend match, the address wins.
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

// Route says what happens to a packet of a frontend, for one kind of source.
type Route struct {
	// Pool is the ID of the pool with the endpoints.
	Pool string `json:"pool"`
	// Masquerade selects the packets that leave with the node's address as their
	// source.
	Masquerade MasqueradeRule `json:"masquerade"`
	// OnEmpty is the verdict while the pool has no endpoints.
	OnEmpty Refusal `json:"onEmpty"`
}

// MasqueradeRule selects the packets of a route that get the node's source address.
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

var masqueradeRules = enum[MasqueradeRule]{"masquerade rule", "masquerade-rule", []string{"never", "unless-local-source", "always"}}

// String returns "never", "unless-local-source" or "always".
func (m MasqueradeRule) String() string { return masqueradeRules.text(m) }

// MarshalText implements encoding.TextMarshaler.
func (m MasqueradeRule) MarshalText() ([]byte, error) { return masqueradeRules.marshal(m) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *MasqueradeRule) UnmarshalText(b []byte) error { return masqueradeRules.parse(m, b) }

// Refusal is how a route without endpoints, or a policy, refuses a packet.
type Refusal uint8

// The refusals: Reject answers (ICMP port unreachable), Drop is silent.
const (
	Reject Refusal = iota + 1
	Drop
)

// Refusals lists them in canonical order.
func Refusals() []Refusal { return []Refusal{Reject, Drop} }

var refusals = enum[Refusal]{"refusal", "refusal", []string{"reject", "drop"}}

// String returns "reject" or "drop".
func (a Refusal) String() string { return refusals.text(a) }

// MarshalText implements encoding.TextMarshaler.
func (a Refusal) MarshalText() ([]byte, error) { return refusals.marshal(a) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Refusal) UnmarshalText(b []byte) error { return refusals.parse(a, b) }
