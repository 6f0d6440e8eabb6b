// Package layout is the one definition of what the eBPF maps hold: which maps
// there are, and every key and value byte by byte. The emitter writes with it,
// the reader and the interpreter read with it, and the C structs of the
// programs have to equal it.
//
//	meta    ARRAY[1]  what image this is, the node's switches, interface name
//	svc     HASH      ServiceKey  ──▶ Service: internal route, external route
//	                                     │ base, count        │ base, count
//	                                     ▼                    ▼
//	ep      ARRAY     ··· │ Endpoint │ Endpoint │ Endpoint │ Endpoint │ ···
//	                                  └──────── a pool ────────┘
//	ep_ok   HASH      MemberKey (pool, address, port) ──▶ index in ep
//	addr    HASH      Address ──▶ flags: own, nodePort, ClusterIP
//	prefix  LPM_TRIE  PrefixKey (set, address) ──▶ 1: source ranges, local pods ...
//
// and where pods of the node are policed (FeaturePolicies):
//
//	pod     HASH      Address of a policed pod ──▶ Pod: profile, default rows
//	class   LPM_TRIE  PrefixKey (family, address of the peer) ──▶ class
//	row     HASH      RowKey (profile, direction, class) ──▶ row; a miss is the default
//	port    LPM_TRIE  PortKey (row, protocol, port) ──▶ verdict
//
// Rules for all of them:
//
//   - An address is 16 bytes; IPv4 is ::ffff:a.b.c.d, so that one set of maps
//     serves both families. Where both families could meet in one entry, the key
//     says which one it is: an IPv6 packet whose header has an address of
//     ::ffff:0:0/96 is never an IPv4 one.
//   - What is part of a packet (addresses, ports) is in network order, all other
//     numbers are little-endian. Numbers inside keys that are only compared are
//     big-endian, so that the order of bytes is the order of numbers.
//   - There is no padding: every byte is a field, and reserved ones are zero. A
//     program cannot forget to clear what it does not see.
package layout
