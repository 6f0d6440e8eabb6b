/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * Most packets are TCP or UDP without options, and belong to a connection that is known. They are
 * read where they are, in few instructions in one place. All others, and what is not sure here,
 * are read once more by packet.h.
 */
#pragma once
#include "legs.h"

/* The part of the context that is needed for reading packets where they are. */
struct placed_skb {
	__u32 before[19];
	__u32 data, data_end;
};

_Static_assert(__builtin_offsetof(struct placed_skb, data) == 76, "data in struct __sk_buff");

struct transport_header {
	__be16 source, destination;
	__u8 between[9];
	__u8 flags; /* of TCP */
	__u8 rest[6];
};

enum { IPV4_PLAIN = 0x45 };

/* plain_flags reports whether a TCP packet neither opens nor closes a connection. */
INLINE bool plain_flags(__u8 flags)
{
	return !(flags & (TCP_FIN | TCP_RST)) && (flags & (TCP_SYN | TCP_ACK)) != TCP_SYN;
}

/* plain_transport is the header of a TCP or UDP packet that is all there; NULL is none, or one of
 * TCP that opens or closes a connection. */
INLINE const struct transport_header *plain_transport(const void *at, const void *end, __u8 protocol, __u32 length)
{
	const struct transport_header *h = at;
	if (protocol == PROTO_UDP)
		return at + UDP_SIZE <= end && length >= UDP_SIZE ? h : NULL;
	if (protocol != PROTO_TCP || at + TCP_SIZE > end || length < TCP_SIZE)
		return NULL;
	return plain_flags(h->flags) ? h : NULL;
}

INLINE void key_of_ends(struct leg_key *k, __u8 direction, const struct transport_header *h)
{
	k->pod_port = direction == EGRESS ? h->source : h->destination;
	k->peer_port = direction == EGRESS ? h->destination : h->source;
	k->request = k->asker = 0;
}

INLINE bool plain_ipv4(struct leg_key *k, __u8 direction, const void *data, const void *end, __u32 len)
{
	const struct ipv4_header *ip = data + ETHERNET_SIZE;
	if ((const void *)(ip + 1) > end || ip->version_size != IPV4_PLAIN || ip->fragment & be16(IPV4_MORE | IPV4_OFFSET))
		return false;
	__u32 length = be16(ip->length);
	if (length < sizeof(*ip) || length > len - ETHERNET_SIZE)
		return false;
	const struct transport_header *h = plain_transport(ip + 1, end, ip->protocol, length - sizeof(*ip));
	if (!h)
		return false;
	map_ipv4(&k->pod, direction == EGRESS ? ip->source : ip->destination);
	map_ipv4(&k->peer, direction == EGRESS ? ip->destination : ip->source);
	key_of_ends(k, direction, h);
	k->protocol = ip->protocol;
	k->ipv6 = false;
	return true;
}

INLINE bool plain_ipv6(struct leg_key *k, __u8 direction, const void *data, const void *end, __u32 len)
{
	const struct ipv6_header *ip = data + ETHERNET_SIZE;
	if ((const void *)(ip + 1) > end || (ip->version_flow & be32(0xf0000000)) != be32(0x60000000))
		return false;
	__u32 length = be16(ip->length);
	if (length > len - ETHERNET_SIZE - sizeof(*ip))
		return false;
	const struct transport_header *h = plain_transport(ip + 1, end, ip->next, length);
	if (!h)
		return false;
	k->pod = direction == EGRESS ? ip->source : ip->destination;
	k->peer = direction == EGRESS ? ip->destination : ip->source;
	key_of_ends(k, direction, h);
	k->protocol = ip->next;
	k->ipv6 = true;
	return true;
}

/* renew_known notes a packet, as renew. A packet that is handed over passes only one program, so
 * that one notes it for both ends. If the other end was forgotten for lack of room, its answers may
 * be denied: the stack has the packets then, and the other program judges and remembers them. */
INLINE void renew_known(struct leg *l, const struct leg_key *k, __u64 now)
{
	if ((__s64)(now - l->seen) <= (__s64)SECOND)
		return;
	l->seen = now;
	if (!l->to)
		return;
	struct leg_key other;
	other_end(&other, k);
	struct leg *o = map_lookup(&plc_legs, &other);
	if (o)
		o->seen = now;
	else
		l->to = 0;
}

/* plain_leg returns the leg of a packet of a known connection; NULL is any other, or not sure. */
INLINE struct leg *plain_leg(const struct skb *skb, __u8 direction, struct leg_key *k)
{
	const struct placed_skb *placed = (const void *)skb;
	const void *data = (const void *)(long)placed->data, *end = (const void *)(long)placed->data_end;
	if (skb->protocol == be16(ETHERTYPE_IPV4)) {
		if (!plain_ipv4(k, direction, data, end, skb->len))
			return NULL;
	} else if (skb->protocol != be16(ETHERTYPE_IPV6) || !plain_ipv6(k, direction, data, end, skb->len)) {
		return NULL;
	}
	__u64 now = ktime_coarse_ns();
	struct leg *l = known_leg(k, now);
	if (l)
		renew_known(l, k, now);
	return l;
}
