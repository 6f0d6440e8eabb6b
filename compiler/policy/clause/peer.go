package clause

import "net/netip"

// Selector selects pods.
type Selector struct {
	// Text is canonical: selectors with equal texts select the same pods.
	Text string
	// Namespace is the only namespace that selected pods can be in, or "".
	Namespace string
	// Labels are some that every selected pod has, as the object has them. They
	// only narrow the search.
	Labels  []Label
	Matches func(*Pod) bool
}

// Set is a set of addresses.
type Set struct {
	Pods             []*Pod         // all their addresses
	Nodes            []*Node        // all their addresses
	Addresses        []netip.Addr   // others
	Networks, Except []netip.Prefix // with all pods and nodes in them; Except lies inside of Networks
	// OwnNode says whether the set holds the node that the rules are for.
	OwnNode bool
	// Domains are the DNS names that the set is for; see [ir.AddressSet].
	Domains []string
}

// Peer is a set of addresses for rules.
type Peer struct {
	// ID is canonical: peers with equal IDs have the same addresses, whatever
	// policy they are of. It begins with the dialect's name.
	ID string
	// PerNode says that the set differs from node to node, as one with "this
	// node" does.
	PerNode bool
	// Resolve makes the set, for a node by its name if PerNode is set. It is
	// called at most once for each node.
	Resolve func(node string) Set
}
