//go:build ignore
/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * Sockets of UDP whose endpoint is gone: a connected socket goes on sending to it, since
 * nothing is asked again. connected lists the sockets that were sent to a Service, in all
 * namespaces; abort_ended closes those of one namespace whose cookies it is given.
 */
#include "include/origin.h"

/* What the kernel's types have that is needed here; the loader finds the offsets in the
 * kernel's BTF. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__u32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be16 skc_dport;
	unsigned short skc_family;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
};

struct udp_sock;
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	void *map;
	struct sock *sk;
	void *value;
};

struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk;
};

#pragma clang attribute pop

static long (*seq_write)(struct seq_file *seq, const void *data, __u32 len) = (void *)127;

extern int bpf_sock_destroy(struct sock_common *sk) __attribute__((section(".ksyms")));

enum { FAMILY_IPV6 = 10 };

/* sends_to reports whether a socket is connected to the endpoint that it got: since then
 * its owner may have connected it to something else, or to nothing. */
INLINE bool sends_to(const struct sock_common *sk, const struct origin *o)
{
	struct address at = { .word = { 0, 0, be32(0xffff), sk->skc_daddr } };
	if (sk->skc_family == FAMILY_IPV6) {
#pragma unroll
		for (int i = 0; i < 4; i++)
			at.word[i] = sk->skc_v6_daddr.in6_u.u6_addr32[i];
	}
	return o->port && sk->skc_dport == o->endpoint_port && same_address(&at, &o->endpoint);
}

/* A socket that was sent to a Service. */
struct connection { /* live.Connection */
	__u64 cookie;
	__u32 namespace; /* the number of its network namespace's file */
	struct address address, endpoint;
	__be16 port, endpoint_port;
};

SEC("iter/bpf_sk_storage_map") int connected(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock *sk = ctx->sk;
	struct origin *o = ctx->value;
	if (!sk || !o || sk->sk_protocol != PROTO_UDP || !sends_to(&sk->__sk_common, o))
		return 0;
	struct connection c = {
		.cookie = socket_cookie(sk),
		.namespace = sk->__sk_common.skc_net.net->ns.inum,
		.address = o->address,
		.endpoint = o->endpoint,
		.port = o->port,
		.endpoint_port = o->endpoint_port,
	};
	seq_write(ctx->meta->seq, &c, sizeof(c));
	return 0;
}

/* The cookies of the sockets to close. */
struct {
	__uint(type, MAP_HASH);
	__uint(key_size, 8);
	__uint(value_size, 4);
	__uint(max_entries, 1);
} plc_ended SEC(".maps");

SEC("iter/udp") int abort_ended(struct bpf_iter__udp *ctx)
{
	struct udp_sock *sk = ctx->udp_sk;
	if (!sk)
		return 0;
	__u64 cookie = socket_cookie(sk);
	__u32 *closed = map_lookup(&plc_ended, &cookie);
	if (!closed)
		return 0;
	struct origin *o = sk_storage_get(&plc_origin, sk, NULL, 0);
	if (!o || !sends_to((struct sock_common *)sk, o) || bpf_sock_destroy((struct sock_common *)sk))
		return 0;
	*closed = 1;
	o->port = 0; /* it is connected to nothing now */
	return 0;
}

char _license[] SEC("license") = "GPL";
