// Package ebpf emits map images: maps.bin, the content of every eBPF map that a
// node's programs look up, and maps.txt, its readable form. It also reads and
// strictly verifies images, for the packages that show, compare, interpret or load
// them (package live).
//
// # Sockets and packets
//
// The programs decide when a socket connects or sends (package bpf). They leave alone
// what only packets can tell: load-balancer addresses with source ranges, SCTP,
// everything from outside. So the artifact has a third file, rules.nft, with the bytes
// that package nftables emits for the same program; it also enforces the policies. A
// Service that one of the two cannot express is given up in both.
//
// Three things differ between the two halves, for every Service: what sockets decide is
// not masqueraded, because there is no translation on the wire; affinity knows a client
// by its network namespace, because a socket has no address before it connects; and
// a drop is EHOSTUNREACH, because there is no packet to lose. Check does not repeat them
// for each object: docs/ebpf.md has them.
//
// # Maps
//
// Package layout defines the maps byte by byte. A new connection costs one hash
// look-up; the other look-ups read arrays:
//
//	packet ─▶ svc[address, protocol, port] ─▶ {internal, external} ─▶ ep[base + random % count]
//	             │ miss: svc[*, ...] if addr, prefix or the kernel say nodePort
//	             └ miss: svc has the address as a ClusterIP: reject; meta says service range: drop
//
// No numbers are allocated: the identity of a Service port is a hash of its name,
// and a pool is identified by its position, which is valid only within its image.
// Positions follow from svc alone, whose keys are sorted: pools and sets of source ranges have
// their places by first use, and equal ones are there once. So an image can be made again
// of Services that changed one by one in a kernel (Assemble), byte for byte.
// Equal programs give equal bytes on every machine. State that outlives an image
// (affinity, connections) contains only identities and addresses.
//
// The compiler resolves everything that depends on Kubernetes: traffic policies
// are two ranges of ep, an empty pool is a verdict, weights are an alias table.
// The program decides only what depends on the packet; package
// internal/interp/ebpf is such a program in Go:
//
//   - source ranges come first, before the answer for an empty pool;
//   - the internal route is for local pods (meta's detector) and the node's own
//     addresses, loopback among them;
//   - nodePorts are never served on loopback;
//   - a packet that is delivered to the node (not forwarded, not sent by it)
//     is not masqueraded, and ClusterIPs and service ranges do not concern it;
//   - a local endpoint that is given itself is masqueraded (hairpin).
//
// # Policies
//
// Each packet that svc does not match, and each endpoint that svc selects, is
// judged twice, with the addresses after DNAT and before masquerade: by the egress
// policies of the source, then by the ingress policies of the destination. Each
// takes four look-ups, regardless of the number of policies and pods:
//
//		pod[subject] ─▶ profile, default row
//		class[peer] ─▶ class ─▶ row[profile, direction, class] ─▶ port[row, protocol, port] ─▶ verdict
//		                           └ miss: the default row      └ not for rows "accept" and "deny"
//
//	  - A miss in pod, or a direction without its flag, means that no policy applies.
//	  - The longest prefix determines the class. Single addresses are prefixes too, and
//	    a prefix of class 0 is a hole in a shorter one. The key contains the family,
//	    because otherwise ::/0 would contain every IPv4 address.
//	  - The default row is that of class 0, unless another row is much more frequent:
//	    "every pod may use DNS" is one default with a few exceptions, including class 0,
//	    instead of an entry for each of the cluster's classes.
//	  - A row is the final verdict for every packet: one prefix for the row alone, and
//	    longer ones for the protocols and ports with another verdict. A port range is
//	    at most 30 prefixes. The two rows that do not depend on ports have fixed
//	    identities and no entry. ICMP and ICMPv6 have type and code in the place of the
//	    port, the type in the higher byte; all other protocols without ports have 0.
//	  - A verdict has the number of a log, from 1, where the row logs the packet: log has
//	    the prefix. Programs count and do not log; rules of packets do.
//	  - The verdicts of a row that tells source ports apart are marked: sport is asked
//	    then, and if it has a row for the source port, that row decides instead. It has
//	    no source ports itself, so the number of look-ups stays fixed.
//	  - Packets from the own node to a pod pass, or are judged by the row of the
//	    direction own-node, if the pod's flags say so. The profile of the node itself is
//	    in meta, and its rows are in row; no program judges by it.
//	  - Flags say of a direction that denies nothing that it does not, so that a TCP
//	    segment in the middle of a connection is no reason to deny.
//	  - Tiers, order, Deny and Pass are already resolved (package ir/resolve).
//
// A program judges packets that open a connection (and those that connection
// tracking calls invalid or does not track), but not packets of established or
// related connections, neighbour discovery (ICMPv6 133 to 137), or packets that
// the node itself sends to pods whose policies are not about it. meta contains whether denied packets are answered.
// An accepted packet must still pass all other processing.
//
// The identity of a profile is the hash of its ID, that of a row the hash of its
// content, which Read recomputes; a collision is an error of Emit. An image
// without policies lacks the six policy maps. The kernel then has these maps, but they are empty.
//
// # File
//
// format.go has the offsets. Every map has a SHA-256. The image has one over
// these, its identity, which is also in meta. The file has one over all bytes,
// symbols included. Symbols are names and origins of the entries; they have no
// effect in the kernel and are not part of the identity.
//
// # Limits
//
//   - The weights of a pool add up to at most 2^32-1; a map has at most 2^26 entries.
//   - Random picks are random(pool), so a client may get different endpoints on
//     different nodes; there is no Maglev table yet.
//   - The rules of a node distinguish at most 65,536 classes of addresses, and profiles
//     and classes have at most 2^22 rows in total. Beyond that, the largest policies are
//     given up and close the pods that they select; Check names them. So it is with more
//     than 65,535 prefixes of logs of a direction of a pod.
//   - Health checks are answered in user space and are not in a map.
//   - Images are for little-endian machines.
package ebpf
