// Package ebpf emits map images: maps.bin, the content of every eBPF map that a
// node's programs look up, and maps.txt, the same for people. It reads images
// too, strictly, for whoever shows, compares, interprets or loads them (package
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
// # File
//
// format.go has the offsets. Every map has a SHA-256, the image has one over
// those (its identity, which meta carries into the kernel), and the file has one
// over all, symbols included. The symbols are names and origins of the entries;
// they change nothing in the kernel and so are not part of the identity.
//
// # Limits
//
//   - SCTP whose port would change is left out, and Check names Service and
//     field: no helper mends the CRC32c of a changed packet.
//   - The weights of a pool add up to at most 2^32-1, a map has at most 2^26
//     entries.
//   - Random picks are random(pool), so which endpoint a client gets is not the
//     same on two nodes; there is no Maglev table yet.
//   - Health checks are answered in user space and are in no map.
//   - Images are for little-endian machines.
package ebpf
