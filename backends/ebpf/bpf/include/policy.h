/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * What policies say of a packet, by the maps of the image that is active: pod, class,
 * row, port, and sport where a row has source ports. It is the same for every hook and for
 * the tests.
 */
#pragma once
#include "destination.h"

struct pod {
	__u64 profile, egress, ingress;
	__u32 flags, reserved;
};

struct row_key {
	__u64 profile;
	__u8 direction, reserved[3];
	__be32 class;
};

struct port_key {
	__u32 bits;
	__u32 row[2];
	__u8 reserved, protocol;
	__be16 port;
};

/* The count of packets that a row logs: its prefix is in the map log of the image. */
struct log_key {
	__u32 row[2];
	__be32 number;
};

enum { EGRESS = 1, INGRESS = 2, OWN = 3 }; /* directions of a row; the first two are flags of a pod */
enum { POD_OWN = 1 << 2, OPEN_SHIFT = 3 }; /* flags of a pod; that of an open direction is so far from its own */
enum { CLASSES_IPV4 = 4, CLASSES_IPV6 = 6, PORT_BITS = 96 };
enum { VERDICT_ACCEPT = 1, VERDICT_KIND = 0xff, VERDICT_SOURCES = 1 << 8, LOG_SHIFT = 16 };

#define ROW_ACCEPT (1ULL << 56)
#define ROW_DENY (2ULL << 56)

_Static_assert(sizeof(struct pod) == 32, "PodSize");
_Static_assert(sizeof(struct row_key) == 16, "RowKeySize");
_Static_assert(sizeof(struct port_key) == 16, "PortKeySize");
_Static_assert(sizeof(struct log_key) == 12, "LogKeySize");

SLOT_MAP(plc_pods, MAP_HASH, sizeof(struct address), sizeof(struct pod), F_RDONLY_PROG);
SLOT_MAP(plc_classs, MAP_LPM_TRIE, sizeof(struct prefix_key), 4, F_RDONLY_PROG | F_NO_PREALLOC);
SLOT_MAP(plc_rows, MAP_HASH, sizeof(struct row_key), 8, F_RDONLY_PROG);
SLOT_MAP(plc_ports, MAP_LPM_TRIE, sizeof(struct port_key), 4, F_RDONLY_PROG | F_NO_PREALLOC);

SLOT_MAP(plc_sports, MAP_LPM_TRIE, sizeof(struct port_key), 8, F_RDONLY_PROG | F_NO_PREALLOC);

struct {
	__uint(type, MAP_LRU_HASH);
	__uint(key_size, sizeof(struct log_key));
	__uint(value_size, 8);
	__uint(max_entries, 8192);
} plc_logged SEC(".maps");

/* The packet that opens a connection, with the addresses that it has after DNAT. */
struct opening {
	struct address source, destination;
	__be16 port; /* of ICMP type and code; 0 for protocols that have none */
	__u8 protocol, type; /* the type is ICMP's */
	bool ipv6, midstream; /* midstream: a TCP segment without SYN, of no known connection */
	__u8 own; /* 1: the node itself sends it */
	__u8 reserved;
	__be16 source_port; /* 0 for protocols that have none */
	__u16 padding;
};

enum { PROTO_ICMPV6 = 58, NEIGHBOUR_FIRST = 133, NEIGHBOUR_LAST = 137 };

/* An IPv6 header can have an address of ::ffff:0:0/96, which is no pod's and not the
 * node's. */
INLINE bool is_odd(const struct address *a, bool ipv6)
{
	return ipv6 && !a->word[0] && !a->word[1] && a->word[2] == be32(0xffff);
}

INLINE struct pod *pod_at(__u32 slot, const struct address *a, bool ipv6)
{
	return is_odd(a, ipv6) ? NULL : find(plc_pods, slot, a);
}

INLINE bool is_own(__u32 slot, const struct address *a, bool ipv6)
{
	struct destination d = { .address = *a, .ipv6 = ipv6 };
	if (is_loopback(&d))
		return true;
	if (is_odd(a, ipv6))
		return false;
	__u32 *flags = find(plc_addrs, slot, a);
	return flags && *flags & ADDRESS_OWN;
}

/* denies reports whether a direction of a pod denies anything but packets of the node. */
INLINE bool denies(const struct pod *pod, __u8 direction)
{
	return (pod->flags & (direction | (__u32)direction << OPEN_SHIFT)) == direction;
}

/* count_logged counts a packet in a log of a row. */
INLINE void count_logged(__u64 row, __u32 number)
{
	struct log_key k = { .row = { (__u32)row, (__u32)(row >> 32) }, .number = be32(number) };
	__u64 none = 0;
	__u64 *n = map_lookup(&plc_logged, &k);
	if (!n) {
		map_update(&plc_logged, &k, &none, UPDATE_NEW);
		n = map_lookup(&plc_logged, &k);
		if (!n)
			return;
	}
	__sync_fetch_and_add(n, 1);
}

/* verdict_of asks a row about a port; 0 is none. */
INLINE __u32 verdict_of(__u32 slot, __u64 row, const struct opening *o)
{
	if (row == ROW_ACCEPT)
		return VERDICT_ACCEPT;
	if (row == ROW_DENY)
		return 0;
	struct port_key k = { .bits = PORT_BITS, .row = { (__u32)row, (__u32)(row >> 32) }, .protocol = o->protocol, .port = o->port };
	__u32 *verdict = find(plc_ports, slot, &k);
	return verdict ? *verdict : 0;
}

/* decide asks a row about a packet. Where it has source ports, the row of that of the packet
 * decides. */
INLINE bool decide(__u32 slot, __u64 row, const struct opening *o)
{
	__u32 verdict = verdict_of(slot, row, o);
	if (verdict & VERDICT_SOURCES) {
		struct port_key k = { .bits = PORT_BITS, .row = { (__u32)row, (__u32)(row >> 32) }, .protocol = o->protocol, .port = o->source_port };
		__u64 *other = find(plc_sports, slot, &k);
		if (other) {
			row = *other;
			verdict = verdict_of(slot, row, o);
		}
	}
	if (verdict >> LOG_SHIFT)
		count_logged(row, verdict >> LOG_SHIFT);
	return (verdict & VERDICT_KIND) == VERDICT_ACCEPT;
}

/* class_of returns the class of a peer, as rows have it. */
INLINE __be32 class_of(__u32 slot, const struct address *peer, bool ipv6)
{
	struct prefix_key k = { .bits = PREFIX_BITS, .set = be32(ipv6 ? CLASSES_IPV6 : CLASSES_IPV4), .address = *peer };
	__u32 *class = find(plc_classs, slot, &k);
	return class ? be32(*class) : 0;
}

/* allows says whether one direction lets the packet pass: the egress of its source, or the
 * ingress of its destination. A packet that the node sends meets the row for the own node; one
 * that it did not send and that has one of its addresses passes ingress: it was masqueraded. */
INLINE bool allows(__u32 slot, __u8 direction, const struct opening *o)
{
	if (o->protocol == PROTO_ICMPV6 && o->type >= NEIGHBOUR_FIRST && o->type <= NEIGHBOUR_LAST)
		return true;
	const struct address *subject = direction == EGRESS ? &o->source : &o->destination;
	const struct address *peer = direction == EGRESS ? &o->destination : &o->source;
	struct pod *pod = pod_at(slot, subject, o->ipv6);
	if (!pod)
		return true;
	struct row_key rk = { .profile = pod->profile };
	__u64 row = ROW_DENY;
	if (direction == INGRESS && o->own) {
		if (!(pod->flags & POD_OWN))
			return true;
		rk.direction = OWN;
	} else {
		if (direction == INGRESS && is_own(slot, peer, o->ipv6))
			return true;
		/* The answer of a connection that was ended must not open it again. */
		if (o->midstream && denies(pod, direction == EGRESS ? INGRESS : EGRESS) && !is_own(slot, peer, o->ipv6) && !is_own(slot, subject, o->ipv6))
			return false;
		if (!(pod->flags & direction))
			return true;
		rk.direction = direction;
		rk.class = class_of(slot, peer, o->ipv6);
		row = direction == INGRESS ? pod->ingress : pod->egress;
	}
	__u64 *listed = find(plc_rows, slot, &rk);
	return decide(slot, listed ? *listed : row, o);
}
