/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * The layout of package backends/ebpf/layout as C. A Go test compares every
 * offset with the types that the object carries.
 */
#pragma once
#include "words.h"

struct route {
	__u32 base, count, total;
	__u8 masquerade, on_empty;
	__u16 flags;
};

enum { ROUTE_WEIGHTED = 1 << 0 };
enum { ON_EMPTY_REJECT = 0, ON_EMPTY_DROP = 1 };

struct service {
	__u64 id;
	struct route internal, external;
	__u32 affinity, sources;
	__u8 kind, reserved[15];
};

struct endpoint {
	struct address address;
	__be16 port;
	__u16 flags;
	__u32 threshold, alias, weight;
};

struct prefix_key {
	__u32 bits;
	__be32 set;
	struct address address;
};

enum { SET_LOCAL = 2, SET_SERVICE_CIDR = 4, SET_NO_MASQUERADE = 6, SET_NODE_PORT = 8, PREFIX_BITS = 160 };

enum { ADDRESS_OWN = 1 << 0, ADDRESS_NODE_PORT = 1 << 1 };

/* A range of ClusterIPs. */
struct range {
	struct address address, mask;
};

enum { MAX_RANGES = 4, RANGES_ELSEWHERE = 255 };

struct info {
	__u8 digest[32];
	__u32 version, flags;
	__u64 features;
	__u32 counts[5];
	__u8 detector, interface_len, range_counts[2]; /* of IPv4, of IPv6 */
	__u8 interface[16];
	__u32 policy_counts[6];
	__u32 abi, reserved;
	__u8 node[32]; /* what rules of packets judge, and no program */
	struct range ranges[2 * MAX_RANGES];
};

enum { NODE_PORT_ANY_IPV4 = 1 << 3, NODE_PORT_ANY_IPV6 = 1 << 4 };
enum { DETECT_NONE = 0 };

struct affinity_key {
	__u64 service;
	struct address client;
	__u8 kind, reserved[3];
} __attribute__((packed, aligned(4)));

enum { CLIENT_ADDRESS = 0, CLIENT_NETNS = 1 };

struct affinity_value {
	struct address address;
	__be16 port;
	__u8 reserved[2];
	__u32 place;
	__u64 last;
};

_Static_assert(sizeof(struct service) == 64, "ServiceSize");
_Static_assert(sizeof(struct endpoint) == 32, "EndpointSize");
_Static_assert(sizeof(struct prefix_key) == 24, "PrefixKeySize");
_Static_assert(sizeof(struct info) == 408, "MetaSize");
_Static_assert(sizeof(struct affinity_key) == 28, "AffinityKeySize");
_Static_assert(sizeof(struct affinity_value) == 32, "AffinityValueSize");

SLOT_MAP(plc_metas, MAP_ARRAY, 4, sizeof(struct info), F_RDONLY_PROG | F_INNER_MAP);
SLOT_MAP(plc_addrs, MAP_HASH, sizeof(struct address), 4, F_RDONLY_PROG);
SLOT_MAP(plc_prefixs, MAP_LPM_TRIE, sizeof(struct prefix_key), 4, F_RDONLY_PROG | F_NO_PREALLOC);

struct {
	__uint(type, MAP_LRU_HASH);
	__uint(key_size, sizeof(struct affinity_key));
	__uint(value_size, sizeof(struct affinity_value));
	__uint(max_entries, 65536);
} plc_aff SEC(".maps");

/* What programs and maps agree about (layout.ABI): the loader compares it with that of
 * the maps. */
const volatile __u32 abi = 3;

/* A decision reads this once, so that it sees one image and never two. */
INLINE bool read_active(__u64 *active)
{
	__u32 zero = 0;
	__u64 *v = map_lookup(&plc_active, &zero);
	if (!v)
		return false;
	*active = *(volatile __u64 *)v;
	return true;
}

/* The same for what asks nothing about Services, which alone need the epoch. */
INLINE bool active_slot(__u32 *slot)
{
	__u64 active;
	if (!read_active(&active))
		return false;
	*slot = slot_of(active);
	return true;
}
