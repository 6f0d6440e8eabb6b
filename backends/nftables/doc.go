// Package nftables emits rules.nft: text for nft -f that loads in one
// transaction, replaces whatever planec had loaded before, and touches nothing
// else. It needs nft 1.0.6 and Linux 5.13. The text is canonical: "nft list
// table" prints it back but for the order of elements, and takes it again.
//
// # Layout
//
// One table for each family that has work. There are a few big maps, and no
// chain, rule or anonymous map of any one Service: chains depend on how many
// endpoints there are and on how a route treats its packets, so their number
// does not grow with the cluster and a changed endpoint changes elements only.
// pick-1 to pick-8 stand whether a pool has that size or not (standing.go).
//
//	filter-prerouting, filter-pre-output                       (before DNAT)
//	  └─ source-ranges      in @restricted and not in @source-ranges: drop
//	nat-prerouting, nat-output                                 (always there)
//	  └─ services           address . protocol . port      vmap @services
//	       └─ nodeports     protocol . port, nodePort addresses only, vmap @nodeports
//	            │ goto
//	  local-A-else-B        the two routes differ: pods and the node to A, others to B
//	    └─ masquerade-A, masquerade-remote-A      set the mark's bit (for remote sources)
//	         ├─ pick-N      dnat to key . numgen random mod N map @endpoints
//	         └─ affinity-T  dnat to key . <client's endpoint> map @affinity-endpoints
//	nat-postrouting         marked, @hairpin, then the node's own egress: masquerade
//	filter-input, -forward, -output                             (after DNAT)
//	  ├─ unserved           @unserved: reject; a route without endpoints
//	  └─ cluster-ips        @cluster-ips: reject, @service-cidrs: drop
//
// Maps and chains come in up to four scopes: by address or (nodeport-) by
// nodePort, and of each a second one (external-) for frontends whose external
// route has a pool of its own.
//
// Names are made of fixed words and numbers, those of policies also of the IDs of
// profiles and rows, which are safe. A Service's or a pod's name occurs in the
// comments of elements only, escaped and bounded. The order of indexes in a pool
// is a pure function of its endpoints that moves little (arrange). A weight
// becomes that many indexes, divided by what all weights have in common.
//
// # Affinity
//
// A map with timeouts binds (client, Service) to the 32-bit ID of an endpoint,
// whichever address or route was used; affinity-endpoints, keyed by frontend and
// ID, gives the address. An ID that is not in it is of no endpoint of the route,
// so one lookup finds both the endpoint and whether it is still there; where it
// is not, the same packet draws another and binds that. nft cannot use the data
// of one map in the key of another, so Service and ID pass through meta mark and
// meta priority. The mark is kept in affinity-saved-marks meanwhile and is
// restored before the chain ends; the priority becomes 0 in nat-postrouting.
//
//	affinity-T   mark = Service, priority = @affinity, refreshed
//	  └─ rebind-T (no endpoint of this route)
//	       └─ draw-N   priority = key . numgen random mod N map @affinity-slots
//
// # Policies
//
// They are in the same tables, in a family of which policies select a pod: a
// load, also of an artifact without policies or of an older planec, replaces
// them with the rest, and a packet meets the rules of its own family only (a
// table of family inet is 3% slower and would need lines in every artifact to
// remove it, for a load that is a quarter shorter on dual-stack nodes).
//
//	policy-egress   forward, filter + 10         (after every Service refusal)
//	policy-input    input, filter + 10
//	  └─ pod's address       vmap @egress
//	policy-ingress  forward, filter + 11
//	  └─ pod's address       vmap @ingress
//	       │ goto
//	  out-PROFILE, in-PROFILE    ingress: from the node itself, accept
//	    ├─ peer-destination, peer-source   priority = the class of the other end
//	    │      0, else @networks (ranges), else @hosts (single addresses)
//	    └─ priority           vmap @out-PROFILE, @in-PROFILE; else its "root"
//	         │ goto
//	  row-ROW                 priority = 0; ports of each protocol; the rest
//
// Before the pods' chains, @ingress-pods and @egress-pods refuse what answers from
// or to a pod of the direction in a TCP connection that conntrack does not know.
// Established and related packets and neighbour discovery are accepted first,
// and what the node sends meets none of this. Accept ends one base chain only:
// ingress, other people's chains and nat-postrouting follow. A packet costs the
// same number of look-ups however many policies, pods and ports there are, but
// for the trees of @networks and of port ranges (their depth).
//
// Which maps and chains there are depends on policies; a pod that comes or goes
// changes elements of hosts, egress and ingress, and of the maps by class where
// it is the first or the last of its class. The row that most classes have is
// one element there, with a key that is no class ("root").
//
// # Limits
//
//   - A load from this file starts without bindings. A program that changes elements
//     one by one keeps them, and clients of endpoints that stay do not move.
//   - The bindings of a family are at most 1,048,576. When they are full, new
//     clients are served without affinity until old ones expire.
//   - IPv6 bindings are keyed by a 32-bit hash of client and Service: two
//     whose hashes are equal share one. That never leads to a wrong endpoint,
//     but can cost both their stickiness; so can an attacker who owns enough
//     addresses.
//   - The first packet of a connection with affinity that the node itself opens
//     has priority 0, whatever SO_PRIORITY says.
//   - A packet that policies judge (the first of its connection) goes on with
//     priority 0, whatever its TOS says.
//   - A row that no class had before needs its chain added with the elements;
//     one that no class has any more may stay.
//   - Conntrack decides what is established: connections that began before a
//     policy go on, and those that were not tracked then are judged once.
//   - A Service with a pool whose weights need more than 65,536 indexes is
//     refused, and Check says so.
//   - Without a local detector for the family "unless-local-source" is
//     "always".
//   - To nft 1.0.6 a dnat rule is an error without its map in the same file
//     ("conflicting protocols specified: ip vs. th"), so new pick chains
//     come with a whole load or over netlink.
package nftables
