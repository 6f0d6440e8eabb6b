// Package bgp has what a node announces by BGP, in no project's words: routers, neighbors, and the
// routes that each neighbor is told. The compiler makes it (compiler/announce), backends write it.
package bgp

import (
	"net/netip"

	"github.com/planec/planec/ir"
)

// Speaker is what one node does by BGP.
type Speaker struct {
	Node string
	// Routers are sorted by VRF, the main one first. A node has one in each VRF.
	Routers []Router
	// Profiles are the BFD profiles that neighbors use, sorted by name.
	Profiles []Profile
	// Withheld are addresses of type LoadBalancer that the node announces to no neighbor, sorted by
	// Service and address.
	Withheld []Withheld
}

// Router is a BGP router of a node.
type Router struct {
	ASN uint32
	VRF string // "" is the main one
	// ID is the router's identifier: that of an object, or the node's first IPv4 address, or, if it
	// has none, one that is derived from its name.
	ID        netip.Addr
	Neighbors []Neighbor // sorted by address and interface
}

// Neighbor is whom a router connects to.
type Neighbor struct {
	// Name is the name of a BGPPeer of MetalLB, or "instance/peer" of Cilium.
	Name   string
	Origin ir.Origin
	// Address or Interface is given, not both.
	Address   netip.Addr
	Interface string
	// Remote is the neighbor's AS number, or 0 where External says which there may be.
	Remote   uint32
	External bool   // any number but the router's own; without it, and without Remote: the router's own
	LocalAS  uint32 // what the neighbor sees instead of the router's number; 0 is the router's
	Port     uint16 // 0 is 179
	Source   netip.Addr
	// Hold and Keepalive are in seconds and given together, or both are -1. Connect is 0 where
	// none is given.
	Hold, Keepalive, Connect int
	TTL                      int    // of packets to a neighbor in another network; 0 is the next hop only
	BFD                      string // the name of a profile, or ""
	GracefulRestart          bool
	Password                 string // in clear, or ""
	PasswordFrom             string // "Secret namespace/name", where the password is not known; or ""
	// Families are the families of routes, IPv4 first.
	Families []ir.Family
	Routes   []Route // sorted by prefix
}

// Internal reports whether the neighbor is of the router's own AS.
func (n *Neighbor) Internal(r *Router) bool {
	own := r.ASN
	if n.LocalAS != 0 {
		own = n.LocalAS
	}
	return n.Remote == own || n.Remote == 0 && !n.External
}

// Route is what a neighbor is told.
type Route struct {
	Prefix netip.Prefix
	// LocalPref is LOCAL_PREF for neighbors of the router's own AS; 0 is none.
	LocalPref   uint32
	Communities []Community // sorted, each once
	// Reasons are why, sorted, each once.
	Reasons []Reason
}

// Reason is a Service's address, or a node's range of pods, by an advertisement.
type Reason struct {
	Service string // "namespace/name"; "" is a range of pods of the node
	Addr    netip.Addr
	By      string // "BGPAdvertisement metallb-system/all"
}

// Profile is a BFD profile of FRR. Times are in milliseconds; 0 is FRR's default.
type Profile struct {
	Name                            string
	Receive, Transmit, Detect, Echo uint32
	EchoMode, Passive               bool
	MinimumTTL                      uint32
}

// Withheld is an address that a node announces to no neighbor.
type Withheld struct {
	Service string // "namespace/name"
	Addr    netip.Addr
	Why     string
}
