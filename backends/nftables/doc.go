// Package nftables emits rules.nft: text for nft -f that loads in one
// transaction, replaces planec's previous tables, and touches nothing else. It
// needs nft 1.0.6 and Linux 5.13. The text is canonical: "nft list table" prints
// it unchanged except for the order of elements, and nft accepts that output. Types with
// codes and protocols by number are an exception: nft lists them in other words.
//
// # Layout
//
// Each family with work has one table. It has a few large maps, and no chain,
// rule or anonymous map for a single Service. Chains depend on pool sizes and
// on how routes treat packets, so their number does not grow with the cluster,
// and a changed endpoint changes only elements. pick-1 to pick-8 exist whether
// or not a pool has that size (target.go).
//
//	filter-prerouting, filter-pre-output                       (before DNAT)
//	  └─ source-ranges      in @restricted and not in @source-ranges: drop
//	nat-prerouting, nat-output                                 (always there)
//	  └─ services           address . protocol . port      vmap @services
//	       └─ nodeports     protocol . port, nodePort addresses only, vmap @nodeports
//	            │ goto
//	  local-A-else-B        the two routes differ: pods and the node to A, others to B
//	    └─ masquerade-A, masquerade-remote-A      set the mark's bit (for remote sources)
//	         ├─ pick-N      dnat to key . numgen random mod N map @endpoints, or
//	         │              @endpoints-16 for 9 to 16, @endpoints-32, ...
//	         └─ affinity-T  dnat to key . <client's endpoint> map @affinity-endpoints
//	nat-postrouting         marked, @hairpin, then the node's own egress: masquerade
//	filter-input, -forward, -output                             (after DNAT)
//	  ├─ unserved           @unserved: reject; a route without endpoints
//	  └─ cluster-ips        @cluster-ips: reject, @service-cidrs: drop
//
// Maps and chains come in up to four scopes: by address or (nodeport-) by
// nodePort, and for each a second one (external-) for frontends whose
// external route has its own pool.
//
// Names consist of fixed words and numbers. Names for policies also contain the
// IDs of profiles and rows, which are safe. The name of a Service or pod occurs
// only in comments of elements, escaped and bounded. The order of indexes in a
// pool is a pure function of its endpoints and moves little (arrange). A weight
// becomes that many indexes, divided by the common divisor of all weights.
//
// # Affinity
//
// A map with timeouts binds (client, Service) to the 32-bit ID of an endpoint,
// whichever address or route was used. The map affinity-endpoints, keyed by
// frontend and ID, gives the address, so one lookup finds the endpoint and tells
// whether the route still has it. If not, the same packet draws another endpoint
// and binds it. nft cannot use the data of one map in the key of another, so
// Service and ID pass through meta mark and meta priority. The map
// affinity-saved-marks keeps the mark until the end of the chain restores it;
// nat-postrouting resets the priority to 0.
//
//	affinity-T   mark = Service, priority = @affinity, refreshed
//	  └─ rebind-T (no endpoint of this route)
//	       └─ draw-N   priority = key . numgen random mod N map @affinity-slots
//
// # Policies
//
// Policies are in the same tables, in each family in which they select a pod.
// Every load therefore replaces them, also a load of an artifact without
// policies or of an older planec; a packet meets only the rules of its own
// family. (An inet table is 3% slower, and every artifact would need lines to
// remove it; a load would be a quarter shorter on dual-stack nodes.)
//
//	policy-egress   forward, filter + 10         (after every Service refusal)
//	policy-input    input, filter + 10
//	  └─ pod's address       vmap @egress
//	policy-ingress  forward, filter + 11
//	  └─ pod's address       vmap @ingress
//	       │ goto
//	  out-PROFILE, in-PROFILE    ingress: from the node itself, accept, or its row
//	    ├─ peer-destination, peer-source   priority = the class of the other end
//	    │      0, else @networks (ranges), else @hosts (single addresses)
//	    └─ priority           vmap @out-PROFILE, @in-PROFILE; else its "root"
//	         │ goto
//	  row-ROW                 priority = 0; rows of source ports; logs; ports of each
//	                          protocol; the rest
//	policy-own      output, 11: policy-ingress for what the node sends to its pods, where
//	                a rule is for that
//	policy-node-egress, policy-node-ingress   output, filter + 10 and input, 11: the
//	                profile of the node itself
//
// Before the pods' chains, @ingress-pods and @egress-pods refuse replies from or
// to a pod of the direction if conntrack does not know their TCP connection.
// Established and related packets and neighbour discovery are accepted first;
// packets that the node sends skip all of this. Accept ends one base chain only:
// ingress, other programs' chains and nat-postrouting follow. The number of
// lookups per packet does not depend on how many policies, pods and ports exist,
// except for the depth of the trees of @networks and of port ranges.
//
// The set of maps and chains depends on the policies. A pod that comes or goes
// changes elements of hosts, egress and ingress, and of the maps by class if it
// is the first or last of its class. The row that most classes have is a single
// element, whose key is no class ("root").
//
// # Beside eBPF
//
// Rules beside programs that translate sockets ([Beside]) may leave connections between
// pods untracked, on request. UntrackedPods does so for pods of the local source ranges
// where no policy asks for a connection's state (untracked.go), and has its rules compare
// a range that is the only one of a family; PoliciesAtInterfaces for
// pods whose interfaces have programs that judge policies (covered.go). In both, packets
// note which pods have connections to pods translated by rules: those stay tracked, so
// that answers are translated back. The sets covered, watched, guarded and translated have
// no elements in the text: the applier and packets fill them.
//
// # Limits
//
//   - A load from this file starts without bindings. A program that changes single
//     elements keeps them, and clients of unchanged endpoints do not move.
//   - The bindings of a family are at most 1,048,576. When they are full, new
//     clients are served without affinity until old ones expire.
//   - IPv6 bindings are keyed by a 32-bit hash of client and Service. Two
//     pairs with the same hash share a binding. This never leads to a wrong
//     endpoint, but both can lose their stickiness, and an attacker with
//     enough addresses can cause that.
//   - The first packet of a connection with affinity that the node itself opens
//     has priority 0, whatever SO_PRIORITY is.
//   - A packet that policies judge (the first of its connection) continues
//     with priority 0, whatever its TOS is.
//   - A row that no class used before needs its chain added with the
//     elements; the chain of a row that no class uses any more may stay.
//   - Conntrack decides what is established: connections older than a policy
//     continue, and connections that were not tracked are judged once.
//   - A Service with a pool whose weights need more than 65,536 indexes is
//     refused, and Check reports it.
//   - Without a local detector for the family "unless-local-source" is
//     "always".
//   - nft 1.0.6 rejects a dnat rule whose map is not in the same file
//     ("conflicting protocols specified: ip vs. th"), so new pick chains
//     need a whole load or netlink.
package nftables
