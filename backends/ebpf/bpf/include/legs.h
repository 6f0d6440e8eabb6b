/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * A leg is a pod's end of a connection. Its key is as seen from the pod, so that packets of
 * both directions have the same one, and what policies said of the first holds for all others.
 */
#pragma once
#include "packet.h"

struct leg_key {
	struct address pod, peer;
	__be16 pod_port, peer_port;
	__u8 protocol, ipv6;
	__u8 request; /* the type of an ICMP request; 0 for other protocols */
	__u8 asker; /* EGRESS if the pod sent the ICMP request, INGRESS if its peer did */
};

struct leg {
	__u64 seen; /* CLOCK_MONOTONIC_COARSE of a packet, in nanoseconds; at most a second too early */
	__u8 direction; /* which opened it: EGRESS or INGRESS */
	__u8 closing; /* one end has closed it */
	__u8 reserved[2];
	__u32 to; /* the interface that packets of the pod are handed to (direct.h); 0: the stack has them */
};

/* Which fragments follow one that was accepted. */
struct part_key {
	struct address source, destination;
	__u32 id;
	__u8 protocol, direction, ipv6, reserved;
};

_Static_assert(sizeof(struct leg_key) == 40, "LegKeySize");
_Static_assert(sizeof(struct leg) == 16, "LegSize");
_Static_assert(sizeof(struct part_key) == 40, "PartKeySize");

struct {
	__uint(type, MAP_LRU_HASH);
	__uint(key_size, sizeof(struct leg_key));
	__uint(value_size, sizeof(struct leg));
	__uint(max_entries, 131072);
} plc_legs SEC(".maps");

struct {
	__uint(type, MAP_LRU_HASH);
	__uint(key_size, sizeof(struct part_key));
	__uint(value_size, 8);
	__uint(max_entries, 4096);
} plc_parts SEC(".maps");

#define SECOND 1000000000ULL

/* How long a leg lives without a packet, as long as the kernel's connection tracking by default
 * keeps a connection. A fragment waits for the others as long as the kernel's reassembly. */
#define TCP_LIFE (432000 * SECOND)
#define SCTP_LIFE (210 * SECOND)
#define LIFE (120 * SECOND)
#define CLOSED_LIFE (120 * SECOND)
#define PART_LIFE (30 * SECOND)

INLINE void leg_of(struct leg_key *k, const struct packet *p, __u8 direction)
{
	bool from_pod = direction == EGRESS;
	k->pod = from_pod ? p->opening.source : p->opening.destination;
	k->peer = from_pod ? p->opening.destination : p->opening.source;
	k->pod_port = from_pod ? p->source_port : p->destination_port;
	k->peer_port = from_pod ? p->destination_port : p->source_port;
	k->protocol = p->opening.protocol;
	k->ipv6 = p->opening.ipv6;
	k->request = p->request;
	k->asker = 0;
	if (p->request)
		k->asker = p->role == ASKS ? direction : EGRESS + INGRESS - direction;
}

/* other_end is the key of the other pod's end of a TCP or UDP connection. */
INLINE void other_end(struct leg_key *other, const struct leg_key *k)
{
	other->pod = k->peer;
	other->peer = k->pod;
	other->pod_port = k->peer_port;
	other->peer_port = k->pod_port;
	other->protocol = k->protocol;
	other->ipv6 = k->ipv6;
	other->request = other->asker = 0;
}

INLINE __u64 life_of(const struct leg *l, __u8 protocol)
{
	if (l->closing)
		return CLOSED_LIFE;
	return protocol == PROTO_TCP ? TCP_LIFE : protocol == PROTO_SCTP ? SCTP_LIFE : LIFE;
}

INLINE bool lives(const struct leg *l, __u8 protocol, __u64 now)
{
	return l && (__s64)(now - l->seen) <= (__s64)life_of(l, protocol);
}

/* known_leg finds a leg that lives. */
INLINE struct leg *known_leg(const struct leg_key *k, __u64 now)
{
	struct leg *l = map_lookup(&plc_legs, k);
	return lives(l, k->protocol, now) ? l : NULL;
}

/* renew notes a packet of a leg, once a second: each note takes the leg away from the caches of
 * other processors. */
INLINE void renew(struct leg *l, const struct packet *p, __u64 now)
{
	if (p->role == CLOSES && !l->closing)
		l->closing = 1;
	if ((__s64)(now - l->seen) > (__s64)SECOND)
		l->seen = now;
}

/* remember notes a leg, in place where there is one: an update replaces the element, and another
 * look-up could find neither. It reports whether there was room. */
INLINE bool remember(const struct leg_key *k, __u8 direction, __u32 to, __u64 now)
{
	struct leg v = { .seen = now, .direction = direction, .to = to };
	struct leg *l = map_lookup(&plc_legs, k);
	if (!l)
		return !map_update(&plc_legs, k, &v, UPDATE_ANY);
	l->seen = now;
	l->direction = direction;
	l->closing = 0;
	l->to = to;
	return true;
}

/* swap_ends makes a key that of the other end. */
INLINE void swap_ends(struct leg_key *k)
{
	struct address pod = k->pod;
	__be16 port = k->pod_port;
	k->pod = k->peer;
	k->peer = pod;
	k->pod_port = k->peer_port;
	k->peer_port = port;
}

/* close_leg notes that one end has closed a connection. */
INLINE void close_leg(const struct leg_key *k)
{
	struct leg *l = map_lookup(&plc_legs, k);
	if (l)
		l->closing = 1;
}

INLINE void part_of(struct part_key *k, const struct packet *p, __u8 direction)
{
	k->source = p->opening.source;
	k->destination = p->opening.destination;
	k->id = p->id;
	k->protocol = p->opening.ipv6 ? 0 : p->opening.protocol; /* only the first one of IPv6 says which */
	k->direction = direction;
	k->ipv6 = p->opening.ipv6;
	k->reserved = 0;
}

/* known_part reports whether the first fragment was accepted not long ago. */
INLINE bool known_part(const struct packet *p, __u8 direction, __u64 now)
{
	struct part_key k;
	part_of(&k, p, direction);
	__u64 *seen = map_lookup(&plc_parts, &k);
	return seen && (__s64)(now - *seen) <= (__s64)PART_LIFE;
}

INLINE bool remember_part(const struct packet *p, __u8 direction, __u64 now)
{
	struct part_key k;
	part_of(&k, p, direction);
	return !map_update(&plc_parts, &k, &now, UPDATE_ANY);
}

/* is_related reports whether an ICMP error is about a packet of a leg: what the pod was sent, if
 * the pod reports, or what it sent. */
INLINE bool is_related(const struct skb *skb, const struct packet *p, __u8 direction, __u64 now)
{
	struct packet about = { .quoted = true };
	if (p->opening.ipv6)
		read_ipv6(skb, p->data, skb->len, &about);
	else
		read_ipv4(skb, p->data, skb->len, &about);
	if ((about.reading != WHOLE && about.reading != FIRST) || about.role == REPORTS || about.role == ALONE)
		return false;
	/* An error goes to who sent the packet; a pod speaks of what it was sent itself. */
	if (!same_address(&about.opening.source, &p->opening.destination))
		return false;
	if (direction == EGRESS && !same_address(&about.opening.destination, &p->opening.source))
		return false;
	struct leg_key k;
	leg_of(&k, &about, EGRESS + INGRESS - direction);
	return known_leg(&k, now) != NULL;
}
