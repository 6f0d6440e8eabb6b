/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * The answer to a denied packet: ICMP port unreachable, as nftables' reject. The packet becomes
 * the answer, in the name of the end that it was sent to.
 */
#pragma once
#include "packet.h"

static long (*redirect)(__u32 ifindex, __u64 flags) = (void *)23;
static __s64 (*csum_diff)(const __be32 *from, __u32 from_size, const __be32 *to, __u32 to_size, __u32 seed) = (void *)28;
static long (*skb_change_tail)(struct skb *skb, __u32 len, __u64 flags) = (void *)38;
static long (*skb_adjust_room)(struct skb *skb, __s32 by, __u32 mode, __u64 flags) = (void *)50;

enum { ROOM_AT_MAC = 1, RECOMPUTE_CSUM = 1, REDIRECT_INGRESS = 1 };

/* The mark of an answer, from one program to the one that sees it next. A packet that comes from a
 * pod has none: the kernel takes marks off between network namespaces. */
enum { ANSWER_MARK = 0x706c6361 };

/* How much of the denied packet is in the answer, at most, from its IP header on. */
enum { QUOTE = 88 };

/* The first type of ICMPv6 that is no error. */
enum { ICMPV6_INFORMATION = 128 };

enum { PACKET_BROADCAST = 1, PACKET_MULTICAST = 2 };

struct ethernet {
	__u16 destination[3], source[3], protocol;
};

/* The header of ICMP with what it is about. */
struct report {
	__u8 type, code;
	__u16 checksum;
	__be32 unused;
	__u8 quote[QUOTE];
};

INLINE __u16 folded(__s64 sum)
{
	__u32 s = (__u32)sum;
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return (__u16)~s;
}

/* is_group reports whether an address is that of several ends, or of none. */
INLINE bool is_group(const struct address *a, bool ipv6)
{
	if (ipv6)
		return (a->word[0] & be32(0xff000000)) == be32(0xff000000) || !(a->word[0] | a->word[1] | a->word[2] | a->word[3]);
	return (a->word[3] & be32(0xe0000000)) == be32(0xe0000000) || !a->word[3];
}

/* may_be_answered reports whether an ICMP error may be about the packet (RFC 1122, RFC 4443). */
INLINE bool may_be_answered(const struct skb *skb, const struct packet *p, __u8 direction)
{
	bool ipv6 = p->opening.ipv6;
	if (direction == EGRESS && (skb->pkt_type == PACKET_BROADCAST || skb->pkt_type == PACKET_MULTICAST))
		return false;
	if (p->opening.protocol == PROTO_ICMPV6 && ipv6 && p->opening.type < ICMPV6_INFORMATION)
		return false; /* an error, also one of a type that is not known */
	return p->role != REPORTS && !is_group(&p->opening.source, ipv6) && !is_group(&p->opening.destination, ipv6);
}

/* read_report makes the report about a packet, of which it has size bytes. */
INLINE bool read_report(const struct skb *skb, struct report *r, __u64 size)
{
	__builtin_memset(r, 0, sizeof(*r));
	/* The verifier must see one comparison with each bound, and the compiler would make one of both. */
	asm volatile("" : "+r"(size));
	if (size > QUOTE)
		return false;
	asm volatile("" : "+r"(size));
	if (size < sizeof(struct ipv4_header))
		return false;
	return !skb_load_bytes(skb, ETHERNET_SIZE, r->quote, (__u32)size);
}

INLINE bool write_ipv4(struct skb *skb, const struct packet *p, struct report *r, __u32 size)
{
	struct ipv4_header h = {
		.version_size = 0x45, .length = be16(sizeof(h) + ICMP_SIZE + size), .fragment = be16(0x4000), .ttl = 64, .protocol = PROTO_ICMP,
		.source = p->opening.destination.word[3], .destination = p->opening.source.word[3],
	};
	h.checksum = folded(csum_diff(NULL, 0, (const __be32 *)&h, sizeof(h), 0));
	r->type = r->code = 3;
	r->checksum = folded(csum_diff(NULL, 0, (const __be32 *)r, sizeof(*r), 0));
	return !skb_store_bytes((void *)skb, ETHERNET_SIZE, &h, sizeof(h), RECOMPUTE_CSUM) &&
	       !skb_store_bytes((void *)skb, ETHERNET_SIZE + sizeof(h), r, ICMP_SIZE, RECOMPUTE_CSUM);
}

INLINE bool write_ipv6(struct skb *skb, const struct packet *p, struct report *r, __u32 size)
{
	struct ipv6_header h = {
		.version_flow = be32(0x60000000), .length = be16(ICMP_SIZE + size), .next = PROTO_ICMPV6, .hops = 64,
		.source = p->opening.destination, .destination = p->opening.source,
	};
	/* The checksum is of the addresses, the length and the protocol too (RFC 8200, section 8.1). */
	__be32 rest[2] = { be32(ICMP_SIZE + size), be32(PROTO_ICMPV6) };
	r->type = 1;
	r->code = 4;
	__s64 sum = csum_diff(NULL, 0, (const __be32 *)&h.source, 2 * sizeof(h.source), 0);
	sum = csum_diff(NULL, 0, rest, sizeof(rest), (__u32)sum);
	r->checksum = folded(csum_diff(NULL, 0, (const __be32 *)r, sizeof(*r), (__u32)sum));
	return !skb_store_bytes((void *)skb, ETHERNET_SIZE, &h, sizeof(h), RECOMPUTE_CSUM) &&
	       !skb_store_bytes((void *)skb, ETHERNET_SIZE + sizeof(h), r, ICMP_SIZE, RECOMPUTE_CSUM);
}

/* answer sends the answer on its way, and returns what the program has to: to the pod that has
 * sent the packet, or as if the pod had answered that was sent it. 0 is no answer. */
INLINE int answer(struct skb *skb, const struct packet *p, __u8 direction)
{
	struct report r;
	struct ethernet e;
	__u32 size = skb->len - ETHERNET_SIZE;
	__u32 header = p->opening.ipv6 ? sizeof(struct ipv6_header) : sizeof(struct ipv4_header);
	if (size > QUOTE)
		size = QUOTE;
	if (!read_report(skb, &r, size) || skb_load_bytes(skb, 0, &e, sizeof(e)))
		return 0;
	if (skb_change_tail(skb, ETHERNET_SIZE + size, 0) || skb_adjust_room(skb, (__s32)(header + ICMP_SIZE), ROOM_AT_MAC, 0))
		return 0;
	for (int i = 0; i < 3; i++) {
		__u16 back = e.destination[i];
		e.destination[i] = e.source[i];
		e.source[i] = back;
	}
	if (skb_store_bytes((void *)skb, 0, &e, sizeof(e), 0))
		return 0;
	if (p->opening.ipv6 ? !write_ipv6(skb, p, &r, size) : !write_ipv4(skb, p, &r, size))
		return 0;
	skb->mark = ANSWER_MARK;
	return (int)redirect(skb->ifindex, direction == EGRESS ? 0 : REDIRECT_INGRESS);
}

/* is_answer reports whether a packet is an answer of these programs: to_pod sees what comes back
 * from where it was sent, from_pod what no pod can have sent. */
INLINE bool is_answer(struct skb *skb, const struct packet *p, __u8 direction)
{
	if (skb->mark != ANSWER_MARK || p->role != REPORTS)
		return false;
	if (direction == INGRESS && skb->ingress_ifindex != skb->ifindex)
		return false;
	skb->mark = 0;
	return true;
}
