//go:build ignore
/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * A reader for the tests of package live: it looks up what images of the test have
 * of one number, in the maps of Services, of addresses and of policies.
 */
#include "include/policy.h"

enum { IMAGE_OK, IMAGE_MISSING, IMAGE_TORN, IMAGE_MIXED, IMAGE_COUNTS };

struct {
	__uint(type, 6); /* per-CPU array */
	__uint(key_size, 4);
	__uint(value_size, 8);
	__uint(max_entries, IMAGE_COUNTS);
} plc_counts SEC(".maps");

/* How many turns to wait between two reads, so that a change can come in between. */
const volatile __u32 turns = 0;

INLINE void wait(void)
{
	for (__u32 i = 0; i < 64; i++) {
		if (i >= turns)
			break;
		(void)ktime_ns();
	}
}

INLINE struct address ipv4(__u32 a)
{
	struct address out = { { 0, 0, be32(0xffff), be32(a) } };
	return out;
}

/* seen is what one look at the image says. The number is a Service's affinity and its
 * endpoint's port; half of it is in the addresses of the node and of a pod with policies. */
INLINE __u32 seen(__u64 active)
{
	__u32 slot = slot_of(active);
	struct service_key k = { .address = ipv4(0x0a600001), .port = be16(80), .protocol = PROTO_TCP };
	struct service *s = record_at(active, &k);
	if (!s)
		return IMAGE_MISSING;
	__u32 number = s->affinity, at = s->internal.base;
	wait();
	struct endpoint *e = find(plc_places, slot, &at);
	if (!e)
		return IMAGE_MISSING;
	if (e->port != be16((__u16)number))
		return IMAGE_TORN;
	wait();
	struct address own = ipv4(0x0ac80000 + number / 2), pod = ipv4(0x0ac90000 + number / 2);
	if (!find(plc_addrs, slot, &own))
		return IMAGE_MIXED;
	wait();
	return find(plc_pods, slot, &pod) ? IMAGE_OK : IMAGE_MIXED;
}

SEC("tc") int read_image(struct __sk_buff *skb)
{
	__u64 active;
	if (!read_active(&active))
		return 0;
	__u32 what = seen(active);
	__u64 *c = map_lookup(&plc_counts, &what);
	if (c)
		(*c)++;
	return (int)what;
}

char _license[] SEC("license") = "GPL";
