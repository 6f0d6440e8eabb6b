package ir

import (
	"net/netip"
	"slices"
)

// Node holds the facts of the node that a program is for.
type Node struct {
	Name string `json:"name"` // metadata.name of the Node
	// Addresses are the known addresses of the node. The kernel knows all of
	// them, the evaluator only these.
	Addresses []netip.Addr  `json:"addresses,omitempty"`
	NodePorts NodePortScope `json:"nodePorts"` // which of the node's addresses serve nodePorts
	Local     LocalDetector `json:"local"`     // how packets of local pods are recognised
	// ServiceCIDRs are the ranges from which ClusterIPs are allocated. A packet
	// to an address in them without a Service is dropped.
	ServiceCIDRs []netip.Prefix `json:"serviceCIDRs,omitempty"`
	// DropInvalid drops forwarded packets that connection tracking considers
	// invalid. It is off if the kernel is configured to be liberal about TCP
	// windows (kubernetes/kubernetes#74839).
	DropInvalid bool `json:"dropInvalid,omitempty"`
}

// NodePortScope selects the node's own addresses that serve nodePorts. Loopback
// addresses never do.
type NodePortScope struct {
	// Addresses are single addresses that serve nodePorts.
	Addresses []netip.Addr `json:"addresses,omitempty"`
	// Prefixes select every address in them that is the node's own when the
	// packet arrives.
	Prefixes []netip.Prefix `json:"prefixes,omitempty"`
}

// LocalDetector says how a packet from a pod of this node is recognised.
type LocalDetector struct {
	Mode DetectMode `json:"mode"` // which of the fields below applies; none of them with DetectNone
	// CIDRs are the sources that count as local, with mode DetectCIDR; a family
	// without a CIDR has no detector.
	CIDRs []netip.Prefix `json:"cidrs,omitempty"`
	// Interface is the bridge's name with mode DetectInterface and the start of
	// the pod interfaces' names with mode DetectInterfacePrefix.
	Interface string `json:"interface,omitempty"`
}

// Detects reports whether local sources of the family can be recognised.
func (d LocalDetector) Detects(f Family) bool {
	switch d.Mode {
	case DetectCIDR:
		return slices.ContainsFunc(d.CIDRs, func(p netip.Prefix) bool { return FamilyOf(p.Addr()) == f })
	case DetectInterface, DetectInterfacePrefix:
		return true
	}
	return false
}

// DetectMode is the kind of a LocalDetector. ClusterCIDR and NodeCIDR of
// kube-proxy's detectLocalMode are both DetectCIDR.
type DetectMode uint8

// The modes.
const (
	DetectNone DetectMode = iota + 1
	DetectCIDR
	DetectInterface
	DetectInterfacePrefix
)

// DetectModes lists them in canonical order.
func DetectModes() []DetectMode {
	return []DetectMode{DetectNone, DetectCIDR, DetectInterface, DetectInterfacePrefix}
}

var detectModes = enum[DetectMode]{"detect mode", "detect-mode", []string{"none", "cidr", "interface", "interface-prefix"}}

// String returns "none", "cidr", "interface" or "interface-prefix".
func (m DetectMode) String() string { return detectModes.text(m) }

// MarshalText implements encoding.TextMarshaler.
func (m DetectMode) MarshalText() ([]byte, error) { return detectModes.marshal(m) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *DetectMode) UnmarshalText(b []byte) error { return detectModes.parse(m, b) }
