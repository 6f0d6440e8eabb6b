package ir

import (
	"net/netip"
	"strconv"
)

// Policy is the effect of the cluster's network policies on one node's pods.
// A direction of a pod that no policy selects is in no profile and is open.
//
// Policies judge the first packet of a connection, with its addresses after
// DNAT and before masquerade: first the source's egress, then the
// destination's ingress. Replies, related ICMP errors and IPv6 neighbour
// discovery always pass, as do packets from the node itself to its pods.
type Policy struct {
	// OnDeny is how a denied packet is refused; Kubernetes' conformance tests
	// expect Drop. It is 0 if and only if there are no profiles.
	OnDeny      Refusal      `json:"onDeny,omitzero"`
	Profiles    []Profile    `json:"profiles,omitempty"`    // sorted by ID; each pod is in at most one
	AddressSets []AddressSet `json:"addressSets,omitempty"` // the sets that the rules' Peers refer to, sorted by ID
	// Peers holds names for addresses of the sets, for people.
	Peers []Peer `json:"peers,omitempty"`
}

// Profile is a group of this node's pods that the same policies treat in the
// same way.
type Profile struct {
	// ID consists of the names of the policies that select the pods and, if
	// named ports make pods differ, of the numbers of these ports. It is at most
	// 96 of the characters a-z, 0-9, "-", "." and "/".
	ID   string `json:"id"`
	Pods []Pod  `json:"pods"` // at least one, sorted by namespace and name
	// Ingress and Egress are in the order of evaluation; a direction without
	// tiers is open.
	Ingress []Tier `json:"ingress,omitempty"`
	Egress  []Tier `json:"egress,omitempty"` // the tiers for packets that the pods send
}

// Tiers returns the tiers of one direction.
func (p *Profile) Tiers(d Direction) []Tier {
	if d == Ingress {
		return p.Ingress
	}
	return p.Egress
}

// Pod is a pod of this node, not on the host's network, that has not finished.
type Pod struct {
	Namespace string `json:"namespace"` // metadata.namespace of the Pod
	Name      string `json:"name"`      // metadata.name of the Pod
	// Addresses are the pod's own, of either family; no other pod shares them.
	Addresses []netip.Addr `json:"addresses"`
}

// Tier is a list of rules; the first matching rule decides.
type Tier struct {
	Kind TierKind `json:"kind"` // the kind of its policies: Admin, NetworkPolicy, Baseline
	// Default is the action if no rule matches: Pass to the next tier, or Deny
	// if a NetworkPolicy isolates.
	Default Action `json:"default"`
	// Isolating are the NetworkPolicies because of which Default is Deny.
	Isolating []Origin `json:"isolating,omitempty"`
	Rules     []Rule   `json:"rules,omitempty"` // in the order of evaluation
}

// Rule is one rule of a policy, or its part for one number of a named port.
// It matches packets whose peer (the destination of egress, the source of
// ingress) and destination port both match.
type Rule struct {
	Action Action `json:"action"` // Accept, Deny or Pass
	// Name is the rule's own name, or "".
	Name string `json:"name,omitempty"`
	// AnyPeer matches every address. Otherwise the peer must be in one of the
	// sets; a rule without sets matches nothing.
	AnyPeer bool     `json:"anyPeer,omitempty"`
	Peers   []string `json:"peers,omitempty"` // the IDs of the sets that the peer may be in, sorted
	// AnyPort matches every packet, also of protocols without ports. Otherwise
	// the destination port must be in one of the ranges; a rule without ranges
	// matches nothing.
	AnyPort bool        `json:"anyPort,omitempty"`
	Ports   []PortRange `json:"ports,omitempty"` // the destination ports, sorted and disjoint within a protocol
	Origin  Origin      `json:"origin"`          // the rule's place in its policy
}

// PortRange is a range of destination ports, both ends included. 0 to 65535
// matches every packet of the protocol.
type PortRange struct {
	Protocol Protocol `json:"protocol"` // TCP, UDP or SCTP
	First    uint16   `json:"first"`    // the lowest port
	Last     uint16   `json:"last"`     // the highest port, not below First
}

// Contains reports whether the range holds the port.
func (r PortRange) Contains(proto Protocol, port uint16) bool {
	return r.Protocol == proto && r.First <= port && port <= r.Last
}

// String returns "80/tcp" or "8000-8999/tcp".
func (r PortRange) String() string { return string(r.AppendTo(nil)) }

// AppendTo appends what String returns.
func (r PortRange) AppendTo(b []byte) []byte {
	b = strconv.AppendUint(b, uint64(r.First), 10)
	if r.Last != r.First {
		b = strconv.AppendUint(append(b, '-'), uint64(r.Last), 10)
	}
	return append(append(b, '/'), r.Protocol.String()...)
}

// AddressSet is the peers of a rule as addresses: pods, nodes or networks.
type AddressSet struct {
	// ID is the selector or the CIDRs, in canonical form.
	ID string `json:"id"`
	// Addresses are those of pods or nodes.
	Addresses []netip.Addr `json:"addresses,omitempty"`
	// Prefixes are networks, without those in Except. A pod or node inside a
	// network belongs to the set.
	Prefixes []netip.Prefix `json:"prefixes,omitempty"`
	Except   []netip.Prefix `json:"except,omitempty"` // networks inside of Prefixes that are excluded
}

// InNetworks reports whether the address is in one of the set's networks.
func (s *AddressSet) InNetworks(a netip.Addr) bool {
	return ContainsAddr(s.Prefixes, a) && !ContainsAddr(s.Except, a)
}

// Peer names one address of an address set.
type Peer struct {
	Address netip.Addr `json:"address"` // an address of a pod or a node
	// Namespace is empty for a node.
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"` // the pod's or the node's name
}

// String returns "namespace/name", or the name of a node.
func (p Peer) String() string {
	if p.Namespace == "" {
		return p.Name
	}
	return p.Namespace + "/" + p.Name
}

// Direction is the direction of a connection, as the pod of the policy sees
// it.
type Direction uint8

// The directions, in the order in which a packet meets them.
const (
	Egress Direction = iota + 1
	Ingress
)

// Directions lists them in canonical order.
func Directions() []Direction { return []Direction{Egress, Ingress} }

var directions = enum[Direction]{"direction", "direction", []string{"egress", "ingress"}}

// String returns "egress" or "ingress".
func (d Direction) String() string { return directions.text(d) }

// TierKind is the source of a tier's rules.
type TierKind uint8

// The tiers, in order of evaluation (policy.networking.k8s.io): the cluster's
// administrators, then NetworkPolicy, then the cluster's baseline.
const (
	AdminTier TierKind = iota + 1
	NetworkTier
	BaselineTier
)

// TierKinds lists them in canonical order.
func TierKinds() []TierKind { return []TierKind{AdminTier, NetworkTier, BaselineTier} }

var tierKinds = enum[TierKind]{"tier", "tier-kind", []string{"admin", "network", "baseline"}}

// String returns "admin", "network" or "baseline".
func (k TierKind) String() string { return tierKinds.text(k) }

// MarshalText implements encoding.TextMarshaler.
func (k TierKind) MarshalText() ([]byte, error) { return tierKinds.marshal(k) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *TierKind) UnmarshalText(b []byte) error { return tierKinds.parse(k, b) }

// Action is what a rule does with a matching packet.
type Action uint8

// The actions. Accept ends the evaluation of the direction, Deny refuses the
// packet, Pass continues with the next tier.
const (
	Accept Action = iota + 1
	Deny
	Pass
)

// Actions lists them in canonical order.
func Actions() []Action { return []Action{Accept, Deny, Pass} }

var actions = enum[Action]{"action", "action", []string{"accept", "deny", "pass"}}

// String returns "accept", "deny" or "pass".
func (a Action) String() string { return actions.text(a) }

// MarshalText implements encoding.TextMarshaler.
func (a Action) MarshalText() ([]byte, error) { return actions.marshal(a) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Action) UnmarshalText(b []byte) error { return actions.parse(a, b) }
