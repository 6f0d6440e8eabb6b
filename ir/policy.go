package ir

import (
	"net/netip"
	"slices"
	"strconv"
)

// Policy is the effect of the cluster's network policies on one node's pods.
// A direction of a pod that no policy selects is in no profile and is open.
//
// Policies judge the first packet of a connection, with its addresses after
// DNAT and before masquerade: first the source's egress, then the
// destination's ingress. Replies, related ICMP errors and IPv6 neighbour
// discovery always pass. Packets from the node itself to its pods pass unless
// a rule or a tier with OwnNode denies them.
type Policy struct {
	// OnDeny is how a denied packet is refused; Kubernetes' conformance tests
	// expect Drop. It is 0 if and only if there are no profiles.
	OnDeny Refusal `json:"onDeny,omitzero"`
	// OnRedirect is what happens to packets that a rule redirects to a proxy:
	// Deny or Accept, since there is no proxy. It is 0 if and only if no rule
	// redirects.
	OnRedirect  Action       `json:"onRedirect,omitzero"`
	Profiles    []Profile    `json:"profiles,omitempty"`    // sorted by ID; each pod is in at most one
	AddressSets []AddressSet `json:"addressSets,omitempty"` // the sets that the rules' Peers refer to, sorted by ID
	// Peers holds names for addresses of the sets, for people.
	Peers []Peer `json:"peers,omitempty"`
}

// Redirects reports whether a rule redirects packets to a proxy.
func (p *Policy) Redirects() bool {
	for i := range p.Profiles {
		for _, d := range Directions() {
			for _, t := range p.Profiles[i].Tiers(d) {
				for j := range t.Rules {
					if t.Rules[j].Action == Redirect {
						return true
					}
				}
			}
		}
	}
	return false
}

// Profile is a group of this node's pods that the same policies treat in the
// same way, or the node itself.
type Profile struct {
	// ID consists of the names of the policies that select the pods and, if
	// named ports make pods differ, of the numbers of these ports. It is at most
	// 96 of the characters a-z, 0-9, "-", "." and "/".
	ID   string `json:"id"`
	Pods []Pod  `json:"pods,omitempty"` // at least one, sorted by namespace and name; none for the node
	// Node marks the profile of the node itself and of its pods on the host's
	// network. It judges what is delivered to the node and what the node sends;
	// packets between its own addresses always pass. At most one profile has it.
	Node bool `json:"node,omitempty"`
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

// Tier is a list of rules; the first matching rule decides, Log rules apart.
type Tier struct {
	Kind TierKind `json:"kind"` // the kind of its policies
	// Name is the name of a tier of kind named, and "" for the other kinds.
	Name string `json:"name,omitempty"`
	// Default is the action if no rule matches: Pass to the next tier, or Deny
	// if a policy isolates.
	Default Action `json:"default"`
	// Isolating are the policies because of which Default is Deny.
	Isolating []Origin `json:"isolating,omitempty"`
	// OwnNode makes the default of an ingress tier hold for packets from the own
	// node too. Otherwise they meet only the tier's rules with OwnNode.
	OwnNode bool   `json:"ownNode,omitempty"`
	Rules   []Rule `json:"rules,omitempty"` // in the order of evaluation
}

// Title returns the kind of the tier, or the name of a named one.
func (t *Tier) Title() string {
	if t.Kind == NamedTier {
		return t.Name
	}
	return t.Kind.String()
}

// Rule is one rule of a policy, or its part for one number of a named port.
// It matches packets whose peer (the destination of egress, the source of
// ingress), destination port and source port all match.
type Rule struct {
	Action Action `json:"action"`
	// Name is the rule's own name, or "".
	Name string `json:"name,omitempty"`
	// AnyPeer matches every address. Otherwise the peer must be in one of the
	// sets; a rule without sets matches nothing.
	AnyPeer bool     `json:"anyPeer,omitempty"`
	Peers   []string `json:"peers,omitempty"` // the IDs of the sets that the peer may be in, sorted
	// NotPeers are the IDs of sets that the peer must not be in, sorted.
	NotPeers []string `json:"notPeers,omitempty"`
	// AnyPort matches every packet, also of protocols without ports. Otherwise
	// the destination port must be in one of the ranges; a rule without ranges
	// matches nothing.
	AnyPort bool        `json:"anyPort,omitempty"`
	Ports   []PortRange `json:"ports,omitempty"` // the destination ports, sorted and disjoint within a protocol
	// NotPorts are the destination ports that do not match after all, sorted.
	NotPorts []PortRange `json:"notPorts,omitempty"`
	// SourcePorts are the source ports, sorted; without any, every one matches,
	// and packets of protocols without ports match too. Only TCP, UDP and SCTP
	// have source ports.
	SourcePorts []PortRange `json:"sourcePorts,omitempty"`
	// OwnNode makes an ingress rule judge packets from the own node too.
	OwnNode bool `json:"ownNode,omitempty"`
	// Prefix is what a Log rule writes before a packet, and "" for other rules:
	// at most [MaxPrefix] printable ASCII characters but quotes and backslashes.
	Prefix string `json:"prefix,omitempty"`
	// Payload is what a Redirect rule asks of the packets' content, as people
	// read it ("http GET /health"), and "" for other rules.
	Payload string `json:"payload,omitempty"`
	Origin  Origin `json:"origin"` // the rule's place in its policy
}

// MaxPrefix is the length of a log prefix in bytes that every kernel target keeps
// (xt_LOG_info.prefix in include/uapi/linux/netfilter/xt_LOG.h).
const MaxPrefix = 29

// Sets returns the IDs of all sets that the rule refers to.
func (r *Rule) Sets() []string {
	if len(r.NotPeers) == 0 {
		return r.Peers
	}
	return slices.Concat(r.Peers, r.NotPeers)
}

// PortRange is a range of destination ports, both ends included. 0 to 65535
// matches every packet of the protocol, and is the only range of a protocol
// that has neither ports nor types.
type PortRange struct {
	Protocol Protocol `json:"protocol"`
	// First is the lowest port; of ICMP and ICMPv6 it is the lowest type and
	// code, as [TypeAndCode] puts them.
	First uint16 `json:"first"`
	Last  uint16 `json:"last"` // the highest port, or type and code, not below First
}

// TypeAndCode puts type and code of an ICMP or ICMPv6 packet in the place of a
// port: the type is the higher byte, as in the packet (RFC 792, RFC 4443).
func TypeAndCode(icmpType, code uint8) uint16 { return uint16(icmpType)<<8 | uint16(code) }

// EveryPort is the range that matches every packet of the protocol.
func EveryPort(p Protocol) PortRange { return PortRange{Protocol: p, Last: 65535} }

// Every reports whether the range matches every packet of its protocol.
func (r PortRange) Every() bool { return r.First == 0 && r.Last == 65535 }

// Contains reports whether the range holds the port.
func (r PortRange) Contains(proto Protocol, port uint16) bool {
	return r.Protocol == proto && r.First <= port && port <= r.Last
}

// String returns "80/tcp", "8000-8999/tcp", or for ICMP "type 8/icmp" and
// "type 3 code 1/icmp"; a protocol as a whole is "gre" or "protocol 99".
func (r PortRange) String() string { return string(r.AppendTo(nil)) }

// AppendTo appends what String returns.
func (r PortRange) AppendTo(b []byte) []byte {
	switch {
	case r.Every() && !r.Protocol.HasPorts():
		return append(b, r.Protocol.String()...)
	case r.Protocol.HasTypes():
		b = r.appendTypes(b)
	default:
		b = strconv.AppendUint(b, uint64(r.First), 10)
		if r.Last != r.First {
			b = strconv.AppendUint(append(b, '-'), uint64(r.Last), 10)
		}
	}
	return append(append(b, '/'), r.Protocol.String()...)
}

// appendTypes appends "type 8", "type 3-5", "type 3 code 1" or, for a range that
// people do not write, "type 3 code 1 to type 5 code 2".
func (r PortRange) appendTypes(b []byte) []byte {
	one := func(word string, n uint16) { b = strconv.AppendUint(append(b, word...), uint64(n), 10) }
	one("type ", r.First>>8)
	switch whole := r.First&0xff == 0 && r.Last&0xff == 0xff; {
	case whole && r.First>>8 == r.Last>>8:
	case whole:
		one("-", r.Last>>8)
	default:
		one(" code ", r.First&0xff)
		switch {
		case r.First == r.Last:
		case r.First>>8 == r.Last>>8:
			one("-", r.Last&0xff)
		default:
			one(" to type ", r.Last>>8)
			one(" code ", r.Last&0xff)
		}
	}
	return b
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
	// OwnNode says whether the set holds this node, whichever of its addresses a
	// packet comes from. It counts for packets from the node to its pods, for
	// which Addresses and Prefixes do not.
	OwnNode bool `json:"ownNode,omitempty"`
	// Domains are the DNS names whose addresses are in Addresses, sorted. They
	// come from outside of the objects; without any, the set is empty.
	Domains []string `json:"domains,omitempty"`
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

// The tiers of Kubernetes, in order of evaluation (policy.networking.k8s.io):
// the cluster's administrators, then NetworkPolicy, then the cluster's baseline;
// and tiers that a cluster names, which may stand anywhere (Calico's Tier).
const (
	AdminTier TierKind = iota + 1
	NetworkTier
	BaselineTier
	NamedTier
)

// TierKinds lists the tiers of Kubernetes in their order.
func TierKinds() []TierKind { return []TierKind{AdminTier, NetworkTier, BaselineTier} }

var tierKinds = enum[TierKind]{"tier", "tier-kind", []string{"admin", "network", "baseline", "named"}}

// String returns "admin", "network", "baseline" or "named".
func (k TierKind) String() string { return tierKinds.text(k) }

// MarshalText implements encoding.TextMarshaler.
func (k TierKind) MarshalText() ([]byte, error) { return tierKinds.marshal(k) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *TierKind) UnmarshalText(b []byte) error { return tierKinds.parse(k, b) }

// Action is what a rule does with a matching packet.
type Action uint8

// The actions. Accept ends the evaluation of the direction, Deny refuses the
// packet, Pass continues with the next tier. Log writes the packet to the
// kernel's log and continues with the next rule. Redirect hands the connection
// to a proxy that looks at its content, or that wants both ends to prove who
// they are; [Policy].OnRedirect says what happens without a proxy.
const (
	Accept Action = iota + 1
	Deny
	Pass
	Log
	Redirect
)

// Actions lists them in canonical order.
func Actions() []Action { return []Action{Accept, Deny, Pass, Log, Redirect} }

var actions = enum[Action]{"action", "action", []string{"accept", "deny", "pass", "log", "redirect"}}

// String returns "accept", "deny", "pass", "log" or "redirect".
func (a Action) String() string { return actions.text(a) }

// MarshalText implements encoding.TextMarshaler.
func (a Action) MarshalText() ([]byte, error) { return actions.marshal(a) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Action) UnmarshalText(b []byte) error { return actions.parse(a, b) }
