/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * How many connections of each Service port were given an endpoint, and how many were
 * refused, while user space wants to know.
 */
#pragma once
#include "slots.h"

struct hits {
	__u64 given, refused;
};

struct {
	__uint(type, MAP_LRU_HASH);
	__uint(key_size, 8);
	__uint(value_size, sizeof(struct hits));
	__uint(max_entries, 65536);
} plc_hits SEC(".maps");

/* Whether connections are counted: a switch that is no constant of the programs, since
 * those that count and those that do not would be different ones to every other process. */
struct {
	__uint(type, MAP_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 1);
} plc_counting SEC(".maps");

/* count_hit counts a verdict of pick about the connection of a Service port; 0 is none. */
INLINE void count_hit(__u64 service, int verdict)
{
	__u32 zero = 0;
	__u32 *wanted = map_lookup(&plc_counting, &zero);
	if (!wanted || !*wanted || !service || !verdict)
		return;
	struct hits *h = map_lookup(&plc_hits, &service);
	if (!h) {
		struct hits none = {};
		map_update(&plc_hits, &service, &none, UPDATE_NEW);
		h = map_lookup(&plc_hits, &service);
		if (!h)
			return;
	}
	__sync_fetch_and_add(verdict > 0 ? &h->given : &h->refused, 1);
}
