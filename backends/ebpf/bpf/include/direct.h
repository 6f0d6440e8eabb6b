/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * Packets between two pods of this node are handed from interface to interface, past the node's
 * network stack and its rules. A connection is handed over from its first packet on or never:
 * then no rule has translated it, and connection tracking has nothing to translate back. The
 * kernel's routing is asked for each packet, so that one goes nowhere that the stack would not
 * send it to.
 */
#pragma once
#include "known.h"

/* The pods between which rules leave policies to these programs, with the number of the interface
 * that packets to each are handed to; 0 is none. */
struct {
	__uint(type, MAP_HASH);
	__uint(key_size, sizeof(struct address));
	__uint(value_size, 4);
	__uint(max_entries, 4096);
} plc_covered SEC(".maps");

/* The parameters of bpf_fib_lookup (struct bpf_fib_lookup). */
struct fib {
	__u8 family, protocol;
	__be16 source_port, destination_port;
	__u16 mtu; /* 0 for the question; the answer has it since Linux 5.12 */
	__u32 ifindex;
	__be32 flow;
	struct address source, destination; /* IPv4 is in the first word */
	__u32 table;
	__u8 macs[12]; /* as a header has them after the answer: its source, then its destination */
};

_Static_assert(sizeof(struct fib) == 64, "struct bpf_fib_lookup");

static long (*fib_lookup)(void *skb, struct fib *f, int size, __u32 flags) = (void *)69;
static long (*redirect_peer)(__u32 ifindex, __u64 flags) = (void *)155;

/* The part of the context that says how large the packets of a bundle are. */
struct bundled_skb {
	__u32 before[44];
	__u32 gso_size; /* 0: it is one packet */
};

_Static_assert(__builtin_offsetof(struct bundled_skb, gso_size) == 176, "gso_size in struct __sk_buff");

enum { FAMILY_IPV4 = 2, FAMILY_IPV6 = 10, LAST_HOP = 1, MAC_SIZE = 6, PACKET_HOST = 0 };

/* How a packet is handed over. */
struct handover {
	struct fib fib;
	__u32 size; /* of the packet from its IP header on, or of the largest one of a bundle */
	__u16 checksum; /* of IPv4 */
	__u8 hops, header; /* header is the size of the IP header */
};

/* read_hops reads the IP header, and whose packet it is; false is one with more than addresses. */
INLINE bool read_hops(const struct skb *skb, struct leg_key *k, struct handover *h)
{
	if (skb->protocol == be16(ETHERTYPE_IPV6)) {
		struct ipv6_header ip;
		if (skb_load_bytes(skb, ETHERNET_SIZE, &ip, sizeof(ip)))
			return false;
		k->pod = ip.source;
		k->peer = ip.destination;
		k->protocol = ip.next;
		k->ipv6 = true;
		h->header = sizeof(ip);
		h->size = sizeof(ip) + be16(ip.length);
		h->hops = ip.hops;
		return true;
	}
	struct ipv4_header ip;
	if (skb->protocol != be16(ETHERTYPE_IPV4) || skb_load_bytes(skb, ETHERNET_SIZE, &ip, sizeof(ip)))
		return false;
	if (ip.version_size != IPV4_PLAIN || ip.fragment & be16(IPV4_MORE | IPV4_OFFSET))
		return false;
	map_ipv4(&k->pod, ip.source);
	map_ipv4(&k->peer, ip.destination);
	k->protocol = ip.protocol;
	k->ipv6 = false;
	h->header = sizeof(ip);
	h->size = be16(ip.length);
	h->hops = ip.ttl;
	h->checksum = ip.checksum;
	return true;
}

/* read_ends reads a TCP or UDP packet as a leg of the pod that has sent it. */
INLINE bool read_ends(const struct skb *skb, struct leg_key *k, struct handover *h)
{
	__be16 ports[2];
	__builtin_memset(h, 0, sizeof(*h));
	if (!read_hops(skb, k, h) || (k->protocol != PROTO_TCP && k->protocol != PROTO_UDP))
		return false;
	if (skb_load_bytes(skb, ETHERNET_SIZE + h->header, ports, sizeof(ports)))
		return false;
	k->pod_port = ports[0];
	k->peer_port = ports[1];
	k->request = k->asker = 0;
	return true;
}

/* read_bundle corrects the size where the kernel has many packets in one. */
INLINE bool read_bundle(const struct skb *skb, const struct leg_key *k, struct handover *h)
{
	__u32 each = ((const struct bundled_skb *)skb)->gso_size;
	if (!each)
		return true;
	__u8 words = UDP_SIZE / 4 << 4;
	if (k->protocol == PROTO_TCP && skb_load_bytes(skb, ETHERNET_SIZE + h->header + 12, &words, sizeof(words)))
		return false;
	h->size = h->header + (words >> 4) * 4 + each;
	return true;
}

/* finds_way asks where the kernel would send the packet. */
INLINE bool finds_way(struct skb *skb, const struct leg_key *k, __u32 to, struct handover *h)
{
	struct fib *f = &h->fib;
	f->protocol = k->protocol;
	f->source_port = k->pod_port;
	f->destination_port = k->peer_port;
	f->ifindex = skb->ifindex;
	if (k->ipv6) {
		f->family = FAMILY_IPV6;
		f->source = k->pod;
		f->destination = k->peer;
	} else {
		f->family = FAMILY_IPV4;
		f->source.word[0] = k->pod.word[3];
		f->destination.word[0] = k->peer.word[3];
	}
	return !fib_lookup(skb, f, sizeof(*f), 0) && f->ifindex == to && h->size <= f->mtu;
}

/* can_hand reports whether a packet can be handed over. The stack has the others: those that it
 * answers itself, or cuts in pieces, those whose destination's hardware address it must ask for,
 * and frames to another hardware address than the node's, which it drops. */
INLINE bool can_hand(struct skb *skb, const struct leg_key *k, __u32 to, struct handover *h)
{
	return skb->pkt_type == PACKET_HOST && h->hops > LAST_HOP && read_bundle(skb, k, h) && finds_way(skb, k, to, h);
}

/* hand gives a packet to the other end of an interface, as if the node had forwarded it. */
INLINE int hand(struct skb *skb, const struct leg_key *k, __u32 to, const struct handover *h)
{
	__u8 macs[2 * MAC_SIZE], hops = h->hops - 1;
	__builtin_memcpy(macs, h->fib.macs + MAC_SIZE, MAC_SIZE);
	__builtin_memcpy(macs + MAC_SIZE, h->fib.macs, MAC_SIZE);
	if (skb_store_bytes((void *)skb, 0, macs, sizeof(macs), 0))
		return SHOT;
	if (k->ipv6) {
		if (skb_store_bytes((void *)skb, ETHERNET_SIZE + __builtin_offsetof(struct ipv6_header, hops), &hops, sizeof(hops), 0))
			return SHOT;
		return (int)redirect_peer(to, 0);
	}
	struct {
		__u8 ttl, protocol;
		__u16 checksum;
	} rest = { hops, k->protocol, 0 };
	__u32 sum = (__u32)h->checksum + be16(0x0100); /* RFC 1624: the TTL is the high byte of its word */
	rest.checksum = (__u16)(sum + (sum >= 0xffff));
	if (skb_store_bytes((void *)skb, ETHERNET_SIZE + __builtin_offsetof(struct ipv4_header, ttl), &rest, sizeof(rest), 0))
		return SHOT;
	return (int)redirect_peer(to, 0);
}

/* is_at reports whether packets of a pod may be handed over that come from this interface. */
INLINE bool is_at(const struct skb *skb, const struct address *pod)
{
	__u32 *from = map_lookup(&plc_covered, pod);
	return from && *from == skb->ifindex;
}

/* is_elsewhere reports whether a pod that packets are handed to is at another interface than the
 * one that a packet with its address comes from: then it has not sent it. */
INLINE bool is_elsewhere(const struct skb *skb, const struct address *pod)
{
	__u32 *from = map_lookup(&plc_covered, pod);
	return from && *from && *from != skb->ifindex;
}

/* follow hands over a packet of a connection of which all others were, to an interface. */
SEPARATE int follow(struct skb *skb, __u32 to)
{
	struct handover h;
	struct leg_key k;
	if (!read_ends(skb, &k, &h) || !is_at(skb, &k.pod) || !can_hand(skb, &k, to, &h))
		return NEXT;
	return hand(skb, &k, to, &h);
}
