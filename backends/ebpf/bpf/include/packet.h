/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * What a packet says of its connection, read from an interface with Ethernet headers.
 * Every byte is read by a helper that checks its place, so a packet may be cut off
 * anywhere, and its data need not be in one piece.
 */
#pragma once
#include "policy.h"

/* The begin of the context of BPF_PROG_TYPE_SCHED_CLS (struct __sk_buff). */
struct skb {
	__u32 len, pkt_type, mark, queue_mapping;
	__u32 protocol; /* the kernel's word for what follows the Ethernet header */
	__u32 vlan_present, vlan_tci, vlan_proto, priority;
	__u32 ingress_ifindex; /* 0: the node itself sends it */
	__u32 ifindex;
};

typedef int __s32;

/* TCX_NEXT lets other programs of the interface run. */
enum { NEXT = -1, SHOT = 2 };

static __u64 (*ktime_coarse_ns)(void) = (void *)160;

enum { ETHERNET_SIZE = 14, ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_IPV6 = 0x86dd };
enum { ETHERTYPE_VLAN = 0x8100, ETHERTYPE_QINQ = 0x88a8, ETHERTYPE_QINQ_OLD = 0x9100 };
enum { PROTO_HOP_BY_HOP = 0, PROTO_ICMP = 1, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_AH = 51, PROTO_DESTINATION = 60, PROTO_SCTP = 132 };

/* The most headers between that of IPv6 and the transport's. */
enum { MOST_HEADERS = 8 };

struct ipv4_header {
	__u8 version_size, tos;
	__be16 length, id, fragment;
	__u8 ttl, protocol;
	__be16 checksum;
	__be32 source, destination;
};

enum { IPV4_MORE = 0x2000, IPV4_OFFSET = 0x1fff };

struct ipv6_header {
	__be32 version_flow;
	__be16 length;
	__u8 next, hops;
	struct address source, destination;
};

struct fragment_header {
	__u8 next, reserved;
	__be16 offset; /* in units of 8 bytes, from bit 3 */
	__be32 id;
};

enum { IPV6_MORE = 1, IPV6_OFFSET = 0xfff8 };

/* The begin of a TCP or SCTP packet. */
struct stream_header {
	__be16 source, destination;
	__u32 between[2];
	__u8 chunk; /* the type of SCTP's first chunk */
	__u8 flags; /* of TCP */
};

enum { TCP_SIZE = 20, SCTP_SIZE = 16, UDP_SIZE = 8, ICMP_SIZE = 8, STREAM_READ = 14 };
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };
enum { SCTP_INIT = 1, SCTP_ABORT = 6, SCTP_SHUTDOWN = 7, SCTP_SHUTDOWN_COMPLETE = 14 };

struct icmp_header {
	__u8 type, code;
	__be16 checksum, id, sequence;
};

/* How far a packet could be read. Of WHOLE, FIRST and BROKEN the addresses are known, of LATER
 * also to which packet it belongs. */
enum reading {
	WHOLE, /* all of it */
	FIRST, /* the first fragment: the same, and others follow it */
	LATER, /* another fragment, which has no header of the transport */
	BROKEN, /* a header behind the addresses is cut off, or makes no sense */
	HEADLESS, /* no addresses */
	TAGGED, /* a VLAN tag that the kernel has left where it is */
	FOREIGN, /* neither IPv4 nor IPv6 */
};

/* What a packet is to a connection. Those up to ASKS may open one. */
enum role {
	GOES_ON, /* it may be any packet of it */
	OPENS, /* it begins one, also where an older one has the same key */
	ASKS, /* an ICMP request, which may be answered */
	CLOSES, /* it is one of the last */
	ANSWERS, /* an answer to a request, or to a packet that opens */
	REPORTS, /* an ICMP error, about a packet in its data */
	ALONE, /* it belongs to none */
};

struct packet {
	struct opening opening; /* what policies are asked */
	__be16 source_port, destination_port; /* 0 where there are none; of ICMP the number of the request, at who asks */
	__u8 role, request; /* request is the type of an ICMP request, also of its answer */
	__u8 reading;
	bool fragmented; /* it has a header of fragments, of IPv6 */
	bool quoted; /* it is in an ICMP error, which has the first bytes of it only */
	__u32 id; /* of a fragment */
	__u32 data; /* where the data of an ICMP error begin */
};

/* cut reports whether fewer than n bytes are between at and the packet's end. */
INLINE bool cut(__u32 at, __u32 end, __u32 n) { return at + n > end; }

/* read_ports reads the ports, which TCP, UDP and SCTP have in the same place. */
INLINE void read_ports(const struct skb *skb, __u32 at, __u32 end, struct packet *p)
{
	__be16 ports[2];
	if (cut(at, end, p->quoted ? sizeof(ports) : UDP_SIZE) || skb_load_bytes(skb, at, ports, sizeof(ports))) {
		p->reading = BROKEN;
		return;
	}
	p->opening.source_port = p->source_port = ports[0];
	p->opening.port = p->destination_port = ports[1];
}

INLINE void read_stream(const struct skb *skb, __u32 at, __u32 end, struct packet *p)
{
	struct stream_header h;
	bool tcp = p->opening.protocol == PROTO_TCP;
	if (cut(at, end, tcp ? TCP_SIZE : SCTP_SIZE) || skb_load_bytes(skb, at, &h, STREAM_READ)) {
		p->reading = BROKEN;
		return;
	}
	p->opening.source_port = p->source_port = h.source;
	p->opening.port = p->destination_port = h.destination;
	if (tcp) {
		p->opening.midstream = !(h.flags & TCP_SYN);
		if ((h.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
			p->role = OPENS;
		else if (h.flags & TCP_SYN)
			p->role = ANSWERS;
		else if (h.flags & (TCP_FIN | TCP_RST))
			p->role = CLOSES;
	} else if (h.chunk == SCTP_INIT) {
		p->role = OPENS;
	} else if (h.chunk == SCTP_ABORT || h.chunk == SCTP_SHUTDOWN || h.chunk == SCTP_SHUTDOWN_COMPLETE) {
		p->role = CLOSES;
	}
}

/* request_of is the type of the request that an ICMP type is, or answers; -1 is none. */
INLINE int request_of(__u8 type, bool ipv6, bool *answers)
{
	*answers = false;
	if (ipv6) { /* echo, and node information */
		*answers = type == 129 || type == 140;
		return type == 128 || type == 129 ? 128 : type == 139 || type == 140 ? 139 : -1;
	}
	switch (type) { /* echo, timestamp, information, address mask */
	case 0:
		*answers = true;
		return 8;
	case 14:
	case 16:
	case 18:
		*answers = true;
		return type - 1;
	case 8:
	case 13:
	case 15:
	case 17:
		return type;
	}
	return -1;
}

/* is_error reports whether an ICMP packet has that in its data which it is about. */
INLINE bool is_error(__u8 type, bool ipv6)
{
	if (ipv6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

INLINE void read_icmp(const struct skb *skb, __u32 at, __u32 end, struct packet *p)
{
	struct icmp_header h;
	bool answers;
	if (cut(at, end, ICMP_SIZE) || skb_load_bytes(skb, at, &h, sizeof(h))) {
		p->reading = BROKEN;
		return;
	}
	p->opening.type = h.type;
	p->opening.port = be16((__u16)h.type << 8 | h.code);
	int request = request_of(h.type, p->opening.ipv6, &answers);
	if (request >= 0) {
		p->role = answers ? ANSWERS : ASKS;
		p->request = (__u8)request;
		if (answers)
			p->destination_port = h.id;
		else
			p->source_port = h.id;
		return;
	}
	p->role = is_error(h.type, p->opening.ipv6) ? REPORTS : ALONE;
	p->data = at + ICMP_SIZE;
}

/* read_transport reads the header behind those of IP. */
INLINE void read_transport(const struct skb *skb, __u32 at, __u32 end, struct packet *p)
{
	__u8 protocol = p->opening.protocol;
	p->role = GOES_ON;
	bool stream = protocol == PROTO_TCP || protocol == PROTO_SCTP;
	if (stream && !p->quoted)
		read_stream(skb, at, end, p);
	else if (stream || protocol == PROTO_UDP)
		read_ports(skb, at, end, p);
	else if (protocol == (p->opening.ipv6 ? PROTO_ICMPV6 : PROTO_ICMP))
		read_icmp(skb, at, end, p);
}

INLINE void map_ipv4(struct address *a, __be32 word)
{
	a->word[0] = a->word[1] = 0;
	a->word[2] = be32(0xffff);
	a->word[3] = word;
}

/* read_ipv4 reads an IPv4 packet that begins at at; within is where what has it ends. */
INLINE void read_ipv4(const struct skb *skb, __u32 at, __u32 within, struct packet *p)
{
	struct ipv4_header h;
	p->reading = HEADLESS;
	if (cut(at, within, sizeof(h)) || skb_load_bytes(skb, at, &h, sizeof(h)))
		return;
	map_ipv4(&p->opening.source, h.source);
	map_ipv4(&p->opening.destination, h.destination);
	p->opening.ipv6 = false;
	p->opening.protocol = h.protocol;
	p->id = h.id;
	p->reading = BROKEN;
	__u32 size = (h.version_size & 15) * 4, end = at + be16(h.length);
	if (!h.length || p->quoted)
		end = within; /* a length of 0 is more than 64 KiB, on its way to a device that cuts it in pieces */
	if (h.version_size >> 4 != 4 || size < sizeof(h) || cut(at, end, size) || end > within)
		return;
	__u32 fragment = be16(h.fragment);
	p->reading = fragment & IPV4_OFFSET ? LATER : fragment & IPV4_MORE ? FIRST : WHOLE;
	if (p->reading != LATER)
		read_transport(skb, at + size, end, p);
}

/* size_of_header is the size of a header between that of IPv6 and the transport's, from its
 * second byte; 0 is none of them. */
INLINE __u32 size_of_header(__u8 protocol, __u8 length)
{
	switch (protocol) {
	case PROTO_HOP_BY_HOP:
	case PROTO_ROUTING:
	case PROTO_DESTINATION:
		return ((__u32)length + 1) * 8;
	case PROTO_AH:
		return ((__u32)length + 2) * 4;
	case PROTO_FRAGMENT:
		return sizeof(struct fragment_header);
	}
	return 0;
}

/* read_fragment reads the header of a fragment of IPv6. A packet with two of them is broken. */
INLINE bool read_fragment(const struct skb *skb, __u32 at, struct packet *p)
{
	struct fragment_header f;
	if (p->reading != WHOLE || skb_load_bytes(skb, at, &f, sizeof(f)))
		return false;
	p->id = f.id;
	__u32 offset = be16(f.offset);
	p->reading = offset & IPV6_OFFSET ? LATER : offset & IPV6_MORE ? FIRST : WHOLE;
	p->fragmented = true;
	return true;
}

/* read_headers reads what is between the header of IPv6 and the transport's. */
INLINE void read_headers(const struct skb *skb, __u32 at, __u32 end, __u8 next, struct packet *p)
{
	struct {
		__u8 next, length;
	} h;
	p->reading = WHOLE;
	for (int i = 0; i <= MOST_HEADERS; i++) {
		__u32 size = size_of_header(next, 0);
		if (!size) {
			p->opening.protocol = next;
			read_transport(skb, at, end, p);
			return;
		}
		if (cut(at, end, 8) || skb_load_bytes(skb, at, &h, sizeof(h)))
			break;
		if (next == PROTO_FRAGMENT && (p->fragmented || !read_fragment(skb, at, p)))
			break;
		size = size_of_header(next, h.length);
		next = h.next;
		if (p->reading == LATER) {
			p->opening.protocol = PROTO_FRAGMENT;
			return;
		}
		if (cut(at, end, size))
			break;
		at += size;
	}
	p->reading = BROKEN;
}

INLINE void read_ipv6(const struct skb *skb, __u32 at, __u32 within, struct packet *p)
{
	struct ipv6_header h;
	p->reading = HEADLESS;
	if (cut(at, within, sizeof(h)) || skb_load_bytes(skb, at, &h, sizeof(h)))
		return;
	p->opening.source = h.source;
	p->opening.destination = h.destination;
	p->opening.ipv6 = true;
	p->opening.protocol = h.next;
	p->reading = BROKEN;
	__u32 begin = at + sizeof(h), end = begin + be16(h.length);
	if (!h.length || p->quoted)
		end = within; /* as of IPv4 */
	if (be32(h.version_flow) >> 28 == 6 && end <= within)
		read_headers(skb, begin, end, h.next, p);
}

/* read_packet reads a packet. */
INLINE void read_packet(const struct skb *skb, struct packet *p)
{
	switch (skb->protocol) {
	case be16(ETHERTYPE_IPV4):
		read_ipv4(skb, ETHERNET_SIZE, skb->len, p);
		return;
	case be16(ETHERTYPE_IPV6):
		read_ipv6(skb, ETHERNET_SIZE, skb->len, p);
		return;
	case be16(ETHERTYPE_VLAN):
	case be16(ETHERTYPE_QINQ):
	case be16(ETHERTYPE_QINQ_OLD):
		p->reading = TAGGED;
		return;
	}
	p->reading = FOREIGN;
}
