// Package ebpf emits map images: maps.bin, the content of every eBPF map that a
// node's programs look up, and maps.txt, the same for people. It reads images
// too, strictly, for the packages that show, compare, interpret or load them (package
// live).
//
// # Maps
//
// Package layout has them byte by byte. A new connection costs one lookup in a
// hash, the rest are loads from arrays:
//
//	packet ─▶ svc[address, protocol, port] ─▶ {internal, external} ─▶ ep[base + random % count]
//	             │ miss: svc[*, ...] if addr, prefix or the kernel say nodePort
//	             └ miss: addr says ClusterIP: reject; prefix says service range: drop
//
// There are no allocated numbers: the identity of a Service port is a hash of
// its name, a pool is named by its place, and places mean nothing outside of
// their image. Equal programs are equal bytes on every machine, and state that
// outlives an image (affinity, connections) has identities and addresses only.
//
// Everything that depends on Kubernetes is decided before: traffic policies are
// two ranges of ep, an empty pool is a verdict, weights are an alias table.
// What only the packet knows is left to the program, and this package's sibling
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
// What svc leaves alone, and each endpoint that it gives, is judged twice, with
// the addresses after DNAT and before masquerade: the egress of the source, then
// the ingress of the destination. Either takes four look-ups, however many
// policies and pods there are:
//
//		pod[subject] ─▶ profile, default row
//		class[peer] ─▶ class ─▶ row[profile, direction, class] ─▶ port[row, protocol, port] ─▶ verdict
//		                           └ miss: the default row      └ not for rows "accept" and "deny"
//
//	  - A miss in pod, or a direction without its flag, is not policed.
//	  - The class comes from the longest prefix: single addresses are prefixes too,
//	    and a prefix of class 0 is a hole in a longer one. Its key says the family,
//	    or else ::/0 would hold every IPv4 address.
//	  - The default row is that of class 0, or one that is much commoner: "every pod
//	    may ask for names" is one default and a few exceptions, class 0 among them,
//	    and not an entry for each of the cluster's classes.
//	  - A row is the final verdict for every packet: a prefix of the row alone, and
//	    longer ones of protocols and ports that get the other verdict. A range of
//	    ports is at most 30 prefixes. The two rows that do not ask for ports have
//	    fixed identities and no entry.
//	  - Tiers, order, Deny and Pass are gone before (package ir/resolve).
//
// A program judges what opens a connection (and what connection tracking calls
// invalid or does not track), and never packets of established or related ones,
// neighbour discovery (ICMPv6 133 to 137), or what the node itself sends. Ingress
// lets the node's own addresses in. A packet of a protocol without ports is asked
// about as port 0. Meta says whether denied packets are answered. An
// accepted packet goes on; nothing else may be skipped for it.
//
// Profiles are named by the hash of their ID, rows by that of their content, which
// Read calculates again; a collision is an error of Emit. An image of a program
// without policies has none of the four maps and the bytes that it had before
// there were policies. In the kernel the maps are there then, and empty.
//
// # File
//
// format.go has the offsets. Every map has a SHA-256, the image has one over
// those (its identity, which meta carries into the kernel), and the file has one
// over all, symbols included. The symbols are names and origins of the entries;
// they change nothing in the kernel and so are not part of the identity.
//
// # Limits
//
//   - SCTP whose port would change is refused, and Check names Service and
//     field: no helper mends the CRC32c of a changed packet.
//   - The weights of a pool add up to at most 2^32-1, a map has at most 2^26
//     entries.
//   - Random picks are random(pool), so which endpoint a client gets is not the
//     same on two nodes; there is no Maglev table yet.
//   - The rules of a node tell at most 65,536 classes of addresses apart, and
//     profiles and classes have at most 2^22 rows in all. Beyond that the largest
//     policies are given up, which close what they select; Check names them.
//   - Health checks are answered in user space and are in no map.
//   - Images are for little-endian machines.
package ebpf
