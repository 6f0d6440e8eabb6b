// Package xtpolicy writes policies as chains of iptables' filter table and sets
// of ipset, for every backend that loads such files.
//
// xtables has no verdict maps, so sets say who is who and chains judge:
//
//	PLC-POLICY (forwarded)         PLC-POLICY-INPUT (to the node: egress only)
//	  RELATED,ESTABLISHED, ICMPv6 133 to 137: RETURN
//	  ├─ plc-egress-pods has the source ─▶ PLC-EGRESS
//	  ├─ TCP without SYN of no known connection, from plc-ingress-pods or to plc-egress-pods: refused
//	  └─ plc-ingress-pods has the destination, the source is not LOCAL ─▶ PLC-INGRESS
//	       │ one look-up for each bit: plc-pods-bit-<n>
//	       └─▶ PLC-INGRESS-<hash>       a table: peer and port to verdict
//	             plc-yes-<hash> (peer, port): RETURN
//	             plc-not-<hash> (peer, port): DROP or REJECT
//	             plc-row-<hash> (peer) ─▶ PLC-ROWS-<hash>, one look-up for each bit
//	             otherwise the row of peers that no rule names
//	                └─▶ PLC-ROW-<hash>  a row: port to verdict; PLC-PORTS-<hash>
//
// What is accepted RETURNs to the chain that jumped here, so it goes on through the
// rules of others. Nothing here sets a mark.
//
// # Finding the profile
//
// A profile has a code, 64 bits of a hash of its ID; a pod is in the set of each
// bit that its profile's code has. A compressed trie over the bits finds the
// profile of a pod among n in log2(n) look-ups or little more, fewer where
// profiles have the same table. A tree over the pods' addresses would be faster,
// 70 ns and not 510 for 8 steps, but its rules would change with every pod; a set
// for each profile, asked one after the other, is slower from four profiles on.
//
// # Finding the verdict
//
// resolve gives each class of addresses a row. A host's row is mostly the row it
// would get without being named (that of the network around it, else the
// default) with a few other ports: those go into the sets of pairs, at most 16
// for each host. What is left of a row is a row again, and equal rows are one
// chain, whichever profiles have them. Peers whose row is another than the
// default are in a set of networks, hosts among them, and where there are
// several such rows a trie over hashes of them finds the one, as with profiles.
// The kernel asks a set of networks for longer prefixes first; what differs from
// the network around it is listed, with nomatch where it is out.
//
// Tiers that say the same share their table, in both directions and whichever policies
// they are made of.
//
// # Cost
//
// Judged are first packets. Each direction costs one look-up for the gate, about
// log2(profiles) for the profile, one or two for the pairs, and, where rows are
// left, 1 + about log2(rows). Rows are whole protocols, ranges of ports, more
// than 16 ports, and networks, by what they allow: a few, however many policies
// and pods there are. A look-up takes some 55 ns; one in a set of networks asks
// once for each length of prefix in it, which is 1 for hosts and 33 or 129 at
// worst. A row's ports cost at most 4 rules and log2 of how many 15 ports
// make. Worst of all is a table of which every peer has a row of its own of very
// many ports: the logarithms are of the number of peers, and of ports.
//
// A set holds 4,194,304 elements, whether of pods or of pairs.
//
// # What changes
//
// A pod, here or elsewhere, changes elements only, unless it is the first (or
// was the last) with a row of the kinds above: then the chains of that table
// change. A profile changes the chain or two of the trie that lead to it. Names
// are hashes of what things are, never of where they stand, and two equal
// hashes of different things are an error.
package xtpolicy
