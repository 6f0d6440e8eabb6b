// Package xtpolicy compiles policies to chains of iptables' filter table and to ipset
// sets, for every backend that loads such files.
//
// xtables has no verdict maps. Sets select pods and peers, and chains hold the verdicts:
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
// An accepted packet RETURNs to the chain that jumped here, and then passes
// foreign rules. No rule of this package sets a mark.
//
// # Finding the profile
//
// A profile's code is 64 bits of a hash of its ID. For each bit that is set in the
// code, the profile's pods are in the set of that bit. A compressed trie over the
// bits finds a pod's profile among n with about log2(n) look-ups, fewer if
// profiles share a table. A tree over pod addresses would be faster (70 ns instead
// of 510 ns for 8 steps), but every new pod would change rules. One set per
// profile, matched in sequence, is slower from four profiles on.
//
// # Finding the verdict
//
// resolve gives each class of addresses a row. A host's row is usually the row
// that it would get if no rule named it (that of the surrounding network, else the
// default), except for a few ports. These ports go into the sets of pairs, at most
// 16 per host; the rest is again a row. Equal rows share one chain across
// profiles. A set of networks holds the peers, hosts included, whose row is not
// the default. If there are several such rows, a trie over their hashes finds the
// right one, as for profiles. The kernel matches longer prefixes first in a set of
// networks, so the set lists each network that differs from the surrounding one,
// with nomatch if it is not a member.
//
// Tiers with the same effect share a table, in both directions and regardless of
// the policies they come from.
//
// # Cost
//
// Only first packets are judged. Each direction costs one look-up for the gate, about
// log2(profiles) for the profile, one or two for the pairs, and, if rows remain, 1 +
// about log2(rows). A row remains for whole protocols, port ranges, more than 16
// ports, and networks, one for each combination of what is allowed: there are few,
// regardless of the number of policies and pods. A look-up takes about 55 ns; a set
// of networks is probed once per prefix length in it: once for hosts, 33 or 129 times
// at worst. The ports of a row cost at most 4 rules and log2(number of groups of 15
// ports). The worst case is a table in which each peer has its own row with very many
// ports: it costs log2 of the number of peers plus log2 of the number of ports.
//
// A set, of pods or of pairs, holds up to 4,194,304 elements.
//
// # What changes
//
// A new or removed pod, on this node or elsewhere, changes only elements, unless
// it is the first or the last with a remaining row: then the chains of that table
// change. A profile changes one or two chains of the trie that lead to it. Names
// are hashes of content, never of positions; two equal hashes of different content
// are an error.
package xtpolicy
