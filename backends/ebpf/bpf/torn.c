//go:build ignore
/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * A reader for the tests of package store: it looks two Services up as the programs
 * do, and compares everything that one transaction wrote.
 */
#include "include/words.h"

enum { OK, MISSING, TORN, MIXED, OTHER, COUNTS };

struct {
	__uint(type, 6); /* per-CPU array */
	__uint(key_size, 4);
	__uint(value_size, 8);
	__uint(max_entries, COUNTS);
} plc_counts SEC(".maps");

/* How many Services there are, whether one may be missing, how many turns to wait
 * between two reads, so that a change can come in between. */
const volatile __u32 services = 1, absent = 0, turns = 0;

/* The parts of a record that the test writes: layout.Service, with the version in
 * affinity and in a route's total, and the number of the Service in its ID. */
struct record {
	__u64 id;
	__u32 base, count, total, rest;
	__u32 external[4];
	__u32 affinity, sources;
	__u8 kind[16];
};

struct place {
	__u32 address[4];
	__u32 port;
	__u32 threshold, alias, weight;
};

INLINE void wait(void)
{
	for (__u32 i = 0; i < 64; i++) {
		if (i >= turns)
			break;
		(void)ktime_ns();
	}
}

INLINE void count(__u32 what)
{
	__u64 *c = map_lookup(&plc_counts, &what);
	if (c)
		(*c)++;
}

/* version is that of one Service, or 2^32 and what is wrong. */
#define WRONG(what) ((1ULL << 32) + (what))
INLINE __u64 version(__u64 active, __u32 i, __u32 random)
{
	struct service_key k = { .port = be16(80), .protocol = PROTO_TCP };
	k.address.word[2] = be32(0xffff);
	k.address.word[3] = be32(0x0a600001 + i);
	volatile struct record *r = record_at(active, &k);
	if (!r)
		return WRONG(MISSING);
	wait();
	__u32 is = r->affinity, base = r->base, n = r->count;
	if (r->id != i)
		return WRONG(OTHER);
	wait();
	if (r->total != is)
		return WRONG(TORN);
	if (!n)
		return WRONG(MISSING);
	__u32 at = base + random % n, slot = slot_of(active);
	struct place *p = find(plc_places, slot, &at);
	if (!p)
		return WRONG(MISSING);
	wait();
	if (p->weight != is || p->alias != i)
		return WRONG(TORN);
	return is;
}

SEC("tc") int read_two(struct __sk_buff *skb)
{
	__u32 zero = 0;
	__u64 *a = map_lookup(&plc_active, &zero);
	if (!a)
		return 0;
	__u64 active = *(volatile __u64 *)a;
	__u64 first = version(active, random32() % services, random32());
	__u64 second = version(active, random32() % services, random32());
	if (absent && first == WRONG(MISSING))
		first = 0;
	if (absent && second == WRONG(MISSING))
		second = 0;
	if (first >> 32)
		count((__u32)first);
	else if (second >> 32)
		count((__u32)second);
	else
		count(first == second ? OK : MIXED);
	return 0;
}

char _license[] SEC("license") = "GPL";
