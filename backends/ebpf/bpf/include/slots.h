/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * What all programs share: the keys of Services, and maps of which each slot has its own.
 */
#pragma once
#include "kernel.h"

/* An address: IPv4 is ::ffff:a.b.c.d. */
struct address {
	__be32 word[4];
};

/* clang 14 would call memcmp, which there is none of. */
INLINE bool same_address(const struct address *a, const struct address *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1] && a->word[2] == b->word[2] && a->word[3] == b->word[3];
}

struct service_key {
	struct address address;
	__be16 port;
	__u8 protocol, scope;
};

enum { SCOPE_IPV6 = 1 << 0, SCOPE_NODE_PORT = 1 << 1 };

_Static_assert(sizeof(struct service_key) == 20, "ServiceKeySize");

/* A map of which each slot (layout.Slots) has its own. */
#define SLOT_MAP(name, type_, key, value, flags)      \
	struct name##_inner {                          \
		__uint(type, type_);                   \
		__uint(key_size, key);                 \
		__uint(value_size, value);             \
		__uint(max_entries, 1);                \
		__uint(map_flags, flags);              \
	};                                             \
	struct {                                       \
		__uint(type, MAP_ARRAY_OF_MAPS);       \
		__uint(max_entries, 2);                \
		__uint(key_size, 4);                   \
		__uint(value_size, 4);                 \
		__array(values, struct name##_inner);  \
	} name SEC(".maps")

struct {
	__uint(type, MAP_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 8);
	__uint(max_entries, 1);
	__uint(map_flags, F_MMAPABLE);
} plc_active SEC(".maps");

/* find looks a key up in a map of the image in a slot. */
#define find(outer, slot, key)                                 \
	({                                                     \
		void *inner_ = map_lookup(&(outer), &(slot));  \
		inner_ ? map_lookup(inner_, (key)) : NULL;     \
	})
