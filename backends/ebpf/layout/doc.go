// Package layout is the only definition of the content of the eBPF maps: the maps,
// and every key and value byte by byte. The emitter, the reader and the
// interpreter use it, and the C structs of the programs must match it.
//
//	meta    ARRAY[1]  what image this is, the node's switches, service ranges
//	svc     HASH      ServiceKey  ──▶ Service: internal route, external route
//	                                     │ base, count        │ base, count
//	                                     ▼                    ▼
//	ep      ARRAY     ··· │ Endpoint │ Endpoint │ Endpoint │ Endpoint │ ···
//	                                  └──────── a pool ────────┘
//	addr    HASH      Address ──▶ flags: own, nodePort
//	prefix  LPM_TRIE  PrefixKey (set, address) ──▶ 1: local pods ...
//	source  LPM_TRIE  PrefixKey (set, address) ──▶ 1: source ranges of Services
//
// and if policies apply to pods of the node (FeaturePolicies):
//
//	pod     HASH      Address of a selected pod ──▶ Pod: profile, default rows
//	class   LPM_TRIE  PrefixKey (family, address of the peer) ──▶ class
//	row     HASH      RowKey (profile, direction, class) ──▶ row; a miss is the default
//	port    LPM_TRIE  PortKey (row, protocol, port) ──▶ verdict, number of a log
//	sport   LPM_TRIE  PortKey (row, protocol, source port) ──▶ the row that decides instead
//	log     HASH      LogKey (row, number) ──▶ prefix; programs count, and do not read it
//
// An image is the canonical form. In a kernel, Services change one by one, so that what
// svc, ep and source say is in five other maps there ([StoreMaps], package store), and
// Content is what one entry means wherever it is.
//
// Rules for all maps:
//
//   - An address is 16 bytes; IPv4 is ::ffff:a.b.c.d, so that one set of maps serves both
//     families. Where entries of both families could collide, the key contains the
//     family: an IPv6 packet with an address in ::ffff:0:0/96 never matches an IPv4
//     entry.
//   - Packet fields (addresses, ports) are in network order; all other numbers are
//     little-endian. Numbers that are only compared as part of a key are big-endian, so
//     that the order of bytes is the order of numbers.
//   - There is no padding: every byte is a field, and reserved fields are zero. So a
//     program cannot forget to clear padding bytes of a key.
package layout
