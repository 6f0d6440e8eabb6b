package cni

import (
	"fmt"
	"net/netip"
)

// Unknown is the value of a field that could not be read in a file or a document of
// the project, and that a user must give where it matters.
const Unknown = "unknown"

// System is one network plugin, or one of its ways of working.
type System struct {
	// Name is the word for --cni: lower case letters, digits and dashes. Aliases are
	// other words for it.
	Name    string   `json:"name"`
	Aliases []string `json:"aliases,omitempty"`
	// Title is what the project calls itself.
	Title string `json:"title"`
	// DetectLocal is how packets of local pods are recognised, as --detect-local has it,
	// or Unknown. Why says where that comes from, in one sentence without a full stop.
	DetectLocal string `json:"detectLocal"`
	Why         string `json:"why"`
	// Egress is who masquerades what pods send out of the cluster.
	Egress Party `json:"egress"`
	// NonMasquerade are destinations without masquerade. A preset has them only where the
	// plugin leaves the masquerade to the node; nil leaves masqAgent as it is.
	NonMasquerade []netip.Prefix `json:"nonMasqueradeCIDRs,omitempty"`
	// Policy is who enforces NetworkPolicies.
	Policy Party `json:"policies"`
	// Services is who serves Services on a node with the plugin.
	Services Services `json:"services"`
	// SwitchOff are settings of the plugin that must be off beside planec.
	SwitchOff []string `json:"switchOff,omitempty"`
	// Give are settings of planec that the user must give.
	Give []string `json:"give,omitempty"`
	// Marks are the packet marks that the plugin sets or reads.
	Marks []Mark `json:"marks,omitempty"`
	// Tables are nftables tables, Chains are iptables chains, Devices are the interfaces of
	// the node that the plugin makes; a star at the end stands for any rest.
	Tables  []string `json:"tables,omitempty"`
	Chains  []string `json:"chains,omitempty"`
	Devices []string `json:"devices,omitempty"`
	Ports   []Port   `json:"ports,omitempty"` // what it listens on, on every node
	// Layouts are the names of [Layouts] that its nodes have.
	Layouts []string `json:"layouts,omitempty"`
	Signs   Signs    `json:"-"`
	// Sources are addresses of the project's documents or files that the row rests on.
	Sources []string `json:"sources"`
	Sure    Sureness `json:"sure"`
	// Doubts are what the row does not know, each a sentence without a full stop.
	Doubts []string `json:"doubts,omitempty"`
}

// Party is who does something for the pods of a node.
type Party string

// The parties.
const (
	ByPlugin   Party = "plugin"   // the plugin itself
	ByNode     Party = "node"     // the plugin leaves it to the node
	ByAddOn    Party = "add-on"   // another program that is usually installed with the plugin
	ByDelegate Party = "delegate" // the plugin that this one calls
	ByNone     Party = "none"     // the plugin does not do it, and needs no other program
	ByUnknown  Party = Unknown
)

// Services is who serves Services on a node with a plugin.
type Services string

// Who serves Services.
const (
	LeavesServices   Services = "leaves them" // kube-proxy, or planec in its place
	ReplacesServices Services = "serves them" // the plugin, in the place of kube-proxy
	PodServices      Services = "serves pods" // the plugin for connections of pods, kube-proxy for all others
	MayServe         Services = "may serve"   // the plugin if a setting says so
	DelegateServices Services = "delegate"    // what the plugin that this one calls does
	UnknownServices  Services = Unknown
)

// Port is a port that a plugin listens on, on every node.
type Port struct {
	Protocol string `json:"protocol"` // "UDP" or "TCP"
	Number   uint16 `json:"number"`   // 1 to 65535
	Use      string `json:"use"`      // "VXLAN", "Geneve", "BGP", or what else it is for
}

// String returns "UDP 4789 (VXLAN)".
func (p Port) String() string { return fmt.Sprintf("%s %d (%s)", p.Protocol, p.Number, p.Use) }

// Sureness is what a row rests on.
type Sureness string

// What rows rest on.
const (
	// Read rows were read in files or documents of the project, which Sources names. Names
	// of DaemonSets, images, devices and ports may be those that manifests of users have.
	Read Sureness = "read"
	// Reported rows rest on what other projects and articles say of the project.
	Reported Sureness = "reported"
	// HardlyRead rows have hardly more than a name: no file of the project could be read.
	HardlyRead Sureness = "unread"
)

// Signs are how a system is found. Names with a star at the end are starts of names.
type Signs struct {
	// Types are the types of the first plugin of a CNI configuration.
	Types []string
	// Files are starts of names of CNI configurations, Networks are names of networks in
	// them, and Bridges names of bridges: they tell systems with one type apart.
	Files, Networks, Bridges []string
	// Interfaces are interfaces of a node that it has, all of them.
	Interfaces []string
	// DaemonSets are names of DaemonSets, and Images ends of names of images, without
	// registry and tag.
	DaemonSets, Images []string
	// Fallback marks the system that a type stands for if nothing else tells.
	Fallback bool
}

// Meta reports whether the system only calls other plugins.
func (s *System) Meta() bool { return s.Services == DelegateServices }

// Conflicts reports whether the system serves Services in the place of kube-proxy.
func (s *System) Conflicts() bool { return s.Services == ReplacesServices }
