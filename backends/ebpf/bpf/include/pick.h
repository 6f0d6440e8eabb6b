/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * pick decides what becomes of a connection, from the image that is active. It is
 * the same for every hook and for the tests, which run it by BPF_PROG_TEST_RUN.
 */
#pragma once
#include "destination.h"

/* Who sends. A socket has no address before it connects, so it is known by its
 * network namespace. */
struct sender {
	__u64 netns;
	bool node; /* the node's own namespace */
};

enum { LEFT_ALONE = 0, TRANSLATED = 1 }; /* or a negative errno */

INLINE bool in_range(const struct range *r, const struct address *a)
{
	__u32 other = 0;
#pragma unroll
	for (int i = 0; i < 4; i++)
		other |= (a->word[i] & r->mask.word[i]) ^ r->address.word[i];
	return !other;
}

INLINE bool in_set(__u32 slot, __u32 set, const struct destination *d)
{
	struct prefix_key k = { .bits = PREFIX_BITS, .set = be32(set + d->ipv6), .address = d->address };
	return find(plc_prefixs, slot, &k) != NULL;
}

/* in_service_range reports whether ClusterIPs may be allocated there. */
INLINE bool in_service_range(__u32 slot, const struct info *info, const struct destination *d)
{
	__u8 count = d->ipv6 ? info->range_counts[1] : info->range_counts[0];
	const struct range *r = d->ipv6 ? info->ranges + MAX_RANGES : info->ranges;
	if (count == RANGES_ELSEWHERE)
		return in_set(slot, SET_SERVICE_CIDR, d);
#pragma unroll
	for (int i = 0; i < MAX_RANGES; i++) {
		if (i < count && in_range(r + i, &d->address))
			return true;
	}
	return false;
}

/* serves_node_port reports whether nodePorts are served at the destination. */
INLINE bool serves_node_port(__u32 slot, const struct info *info, __u32 flags, const struct destination *d)
{
	if (is_loopback(d))
		return false;
	if (flags & ADDRESS_NODE_PORT)
		return true;
	if (!(flags & ADDRESS_OWN))
		return false;
	return info->flags & (d->ipv6 ? NODE_PORT_ANY_IPV6 : NODE_PORT_ANY_IPV4) || in_set(slot, SET_NODE_PORT, d);
}

/* order compares an endpoint with that of a binding as pools are ordered: by the bytes of the
 * address, then of the port. It is less than, equal to or more than 0. The verifier follows
 * both sides of each branch in each turn of a search, so there are none: that was nine in ten
 * of the instructions that it looked at. The compiler must not find the branches again. */
INLINE __s64 order(const struct endpoint *e, const struct affinity_value *v)
{
	__s64 out = (__s64)be16(e->port) - (__s64)be16(v->port);
#pragma unroll
	for (int i = 3; i >= 0; i--) {
		__s64 differs = (__s64)be32(e->address.word[i]) - (__s64)be32(v->address.word[i]);
		__s64 mask = differs | -differs;
		asm volatile("" : "+r"(mask));
		mask >>= 63;
		asm volatile("" : "+r"(mask));
		out = (differs & mask) | (out & ~mask);
	}
	asm volatile("" : "+r"(out));
	return out;
}

/* affinity_key_of is the key of the clients of a network namespace at a Service. */
INLINE void affinity_key_of(struct affinity_key *k, __u64 service, __u64 netns)
{
	__builtin_memset(k, 0, sizeof(*k));
	k->service = service;
	__builtin_memcpy(&k->client, &netns, sizeof(netns));
	k->kind = CLIENT_NETNS;
}

/* halve finds the place in a pool, which is sorted, of the endpoint that clients are bound to,
 * plus 1; 0 is none. It is a function of its own, global and of numbers alone, because the
 * verifier looks at such a one once, whatever its callers know: that makes most programs
 * four times cheaper to load. */
__attribute__((noinline)) __u32 halve(__u32 slot, __u32 base, __u32 count, __u64 service, __u64 netns)
{
	struct affinity_key k;
	affinity_key_of(&k, service, netns);
	struct affinity_value *v = map_lookup(&plc_aff, &k);
	if (!v)
		return 0;
	__u32 low = 0, high = count;
	for (int i = 0; i < 27; i++) { /* layout.MaxEntries */
		if (low >= high)
			return 0;
		__u32 middle = low + (high - low) / 2, at = base + middle;
		struct endpoint *e = find(plc_places, slot, &at);
		if (!e)
			return 0;
		__s64 before = order(e, v);
		if (before == 0)
			return middle + 1;
		before >>= 63;
		asm volatile("" : "+r"(before));
		low = (low & ~(__u32)before) | ((middle + 1) & (__u32)before);
		high = (high & (__u32)before) | (middle & ~(__u32)before);
	}
	return 0;
}

/* bound finds the endpoint of a binding in the pool of a route: at the place that it
 * had, or by halving the pool. */
INLINE struct endpoint *bound(__u32 slot, const struct route *r, const struct affinity_value *v, __u64 service, __u64 netns)
{
	__u32 at = r->base + v->place;
	struct endpoint *e = v->place < r->count ? find(plc_places, slot, &at) : NULL;
	if (e && order(e, v) == 0)
		return e;
	__u32 place = halve(slot, r->base, r->count, service, netns);
	if (!place)
		return NULL;
	at = r->base + place - 1;
	return find(plc_places, slot, &at);
}

/* draw takes an endpoint as likely as its weight. first is of the caller: a socket
 * that sends without connecting draws the same one each time. */
INLINE struct endpoint *draw(__u32 slot, const struct route *r, __u32 first, __u32 second, __u32 *place)
{
	*place = first % r->count;
	__u32 at = r->base + *place;
	struct endpoint *e = find(plc_places, slot, &at);
	if (!e || !(r->flags & ROUTE_WEIGHTED) || second % r->total < e->threshold)
		return e;
	*place = e->alias;
	at = r->base + *place;
	return find(plc_places, slot, &at);
}

/* choose takes the endpoint that the client is bound to, or draws one and binds it. A
 * binding is written in place while it stays: an update replaces the element, and another
 * look-up of it could find neither the old nor the new one. */
INLINE struct endpoint *choose(__u32 slot, const struct service *s, const struct route *r, const struct sender *from, __u32 first, __u32 second)
{
	__u32 place;
	if (!s->affinity)
		return draw(slot, r, first, second, &place);
	struct affinity_key k;
	affinity_key_of(&k, s->id, from->netns);
	__u64 now = ktime_ns();
	struct affinity_value *have = map_lookup(&plc_aff, &k);
	/* Another CPU may have written last since now was read: the difference is negative then. */
	if (have && (__s64)(now - have->last) < (__s64)(s->affinity * 1000000000ULL)) {
		struct endpoint *e = bound(slot, r, have, s->id, from->netns);
		if (e) {
			have->last = now;
			return e;
		}
	}
	struct endpoint *e = draw(slot, r, first, second, &place);
	if (!e)
		return NULL;
	struct affinity_value v = { .address = e->address, .port = e->port, .place = place, .last = now };
	map_update(&plc_aff, &k, &v, UPDATE_ANY);
	return e;
}

/* service_of finds the Service at an address, or at the node's nodePorts. It is NULL
 * with a verdict for what no Service has. */
INLINE struct service *service_of(__u64 active, const struct info *info, const struct destination *d, int *verdict)
{
	__u32 slot = slot_of(active);
	struct service_key k = { .address = d->address, .port = d->port, .protocol = d->protocol, .scope = d->ipv6 ? SCOPE_IPV6 : 0 };
	struct service *s = record_at(active, &k);
	if (s)
		return s;
	__u32 *found = find(plc_addrs, slot, &d->address);
	__u32 flags = found ? *found : 0;
	if (serves_node_port(slot, info, flags, d)) {
		__builtin_memset(&k.address, 0, sizeof(k.address));
		k.scope |= SCOPE_NODE_PORT;
		s = record_at(active, &k);
		if (s)
			return s;
		k.address = d->address;
		k.scope &= ~SCOPE_NODE_PORT;
	}
	k.port = 0;
	k.protocol = 0;
	*verdict = LEFT_ALONE;
	if (record_at(active, &k)) /* the address is a ClusterIP */
		*verdict = -ECONNREFUSED;
	else if (in_service_range(slot, info, d))
		*verdict = -EHOSTUNREACH;
	return NULL;
}

/* pick changes d to the endpoint of a connection, and says whose it is: the identity of the
 * Service port, or 0. */
INLINE int pick(__u64 active, struct destination *d, const struct sender *from, __u32 first, __u32 second, __u64 *service)
{
	__u32 zero = 0, slot = slot_of(active);
	struct info *info = find(plc_metas, slot, &zero);
	if (!info)
		return LEFT_ALONE;
	int verdict;
	struct service *s = service_of(active, info, d, &verdict);
	if (!s)
		return verdict;
	*service = s->id;
	if (s->sources)
		return LEFT_ALONE; /* only a packet has a source address */
	const struct route *r = from->node || info->detector != DETECT_NONE ? &s->internal : &s->external;
	if (!r->count)
		return r->on_empty == ON_EMPTY_DROP ? -EHOSTUNREACH : -ECONNREFUSED;
	struct endpoint *e = choose(slot, s, r, from, first, second);
	if (!e)
		return LEFT_ALONE;
	d->address = e->address;
	d->port = e->port;
	return TRANSLATED;
}
