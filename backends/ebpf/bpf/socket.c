//go:build ignore
/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * Socket load balancing: a connection to a Service goes to an endpoint from the
 * start, and its packets are never translated.
 *
 *   connect4, connect6 ─┐           ┌─▶ origin: what the socket was sent to ─▶ getpeername, recvmsg
 *                       ├─▶ pick ───┤
 *   sendmsg4, sendmsg6 ─┘           └─▶ answers: cookie, endpoint ─▶ recvmsg of sockets that never connect
 */
#include "include/hits.h"
#include "include/origin.h"
#include "include/pick.h"

/* The cookie of the node's own network namespace. */
const volatile __u64 node_netns = 0;

/* Whether set_retval is there (Linux 5.18); without it a refusal is EPERM. */
const volatile bool have_retval = true;

struct answer_key {
	__u64 cookie;
	struct address endpoint;
	__be16 port;
	__u16 reserved[3];
};

struct answer {
	struct address address;
	__be16 port;
	__u16 reserved;
};

struct {
	__uint(type, MAP_LRU_HASH);
	__uint(key_size, sizeof(struct answer_key));
	__uint(value_size, sizeof(struct answer));
	__uint(max_entries, 65536);
} plc_answers SEC(".maps");

INLINE struct origin *origin_of(struct bpf_sock_addr *ctx, __u64 flags)
{
	struct bpf_sock *sk = ctx->sk;
	return sk ? sk_storage_get(&plc_origin, sk, NULL, flags) : NULL;
}

INLINE void remember_connected(struct bpf_sock_addr *ctx, const struct destination *was, const struct destination *is)
{
	struct origin *o = origin_of(ctx, STORAGE_CREATE);
	if (!o)
		return;
	o->address = was->address;
	o->port = was->port;
	o->endpoint = is->address;
	o->endpoint_port = is->port;
}

INLINE void remember_sent(struct bpf_sock_addr *ctx, __u64 cookie, const struct destination *was, const struct destination *is)
{
	struct origin *o = origin_of(ctx, STORAGE_CREATE);
	if (o)
		o->sends = 1;
	struct answer_key k = { .cookie = cookie, .endpoint = is->address, .port = is->port };
	struct answer *have = map_lookup(&plc_answers, &k);
	if (have && same_address(&have->address, &was->address) && have->port == was->port)
		return;
	struct answer v = { .address = was->address, .port = was->port };
	map_update(&plc_answers, &k, &v, UPDATE_ANY);
}

/* A connected socket draws at random. One that sends without connecting keeps its
 * endpoint: cookies are consecutive numbers, which the multiplication spreads. */
INLINE int translate(struct bpf_sock_addr *ctx, struct destination *d, bool connects)
{
	__u64 active;
	if (d->protocol != PROTO_TCP && d->protocol != PROTO_UDP)
		return LEFT_ALONE; /* SCTP is left to packets */
	if (!read_active(&active))
		return LEFT_ALONE;
	__u64 cookie = connects ? 0 : socket_cookie(ctx);
	__u32 first = connects ? random32() : (__u32)((cookie * 0x9E3779B97F4A7C15ULL) >> 32);
	__u32 second = connects ? random32() : (__u32)(cookie * 0xC2B2AE3D27D4EB4FULL >> 32);
	struct sender from = { .netns = netns_cookie(ctx) };
	from.node = from.netns == node_netns;
	struct destination was = *d;
	__u64 service = 0;
	int verdict = pick(active, d, &from, first, second, &service);
	count_hit(service, verdict);
	if (verdict != TRANSLATED)
		return verdict;
	if (connects)
		remember_connected(ctx, &was, d);
	else
		remember_sent(ctx, cookie, &was, d);
	return verdict;
}

INLINE int refuse(int error)
{
	if (have_retval)
		set_retval(error);
	return 0;
}

INLINE void read4(struct bpf_sock_addr *ctx, struct destination *d)
{
	d->address.word[0] = d->address.word[1] = 0;
	d->address.word[2] = be32(0xffff);
	d->address.word[3] = ctx->user_ip4;
	d->port = (__be16)ctx->user_port;
	d->ipv6 = false;
}

INLINE void write4(struct bpf_sock_addr *ctx, const struct destination *d)
{
	ctx->user_ip4 = d->address.word[3];
	ctx->user_port = d->port;
}

/* A socket of IPv6 that is given an IPv4-mapped address sends IPv4. */
INLINE void read6(struct bpf_sock_addr *ctx, struct destination *d)
{
	d->address.word[0] = ctx->user_ip6[0];
	d->address.word[1] = ctx->user_ip6[1];
	d->address.word[2] = ctx->user_ip6[2];
	d->address.word[3] = ctx->user_ip6[3];
	d->port = (__be16)ctx->user_port;
	d->ipv6 = d->address.word[0] || d->address.word[1] || d->address.word[2] != be32(0xffff);
}

INLINE void write6(struct bpf_sock_addr *ctx, const struct destination *d)
{
	ctx->user_ip6[0] = d->address.word[0];
	ctx->user_ip6[1] = d->address.word[1];
	ctx->user_ip6[2] = d->address.word[2];
	ctx->user_ip6[3] = d->address.word[3];
	ctx->user_port = d->port;
}

INLINE int out4(struct bpf_sock_addr *ctx, bool connects)
{
	struct destination d = { .protocol = (__u8)ctx->protocol };
	read4(ctx, &d);
	int verdict = translate(ctx, &d, connects);
	if (verdict < 0)
		return refuse(verdict);
	if (verdict == TRANSLATED)
		write4(ctx, &d);
	return 1;
}

INLINE int out6(struct bpf_sock_addr *ctx, bool connects)
{
	struct destination d = { .protocol = (__u8)ctx->protocol };
	read6(ctx, &d);
	int verdict = translate(ctx, &d, connects);
	if (verdict < 0)
		return refuse(verdict);
	if (verdict == TRANSLATED)
		write6(ctx, &d);
	return 1;
}

/* back changes an endpoint into the address that the socket was sent to. */
INLINE bool back(struct bpf_sock_addr *ctx, struct destination *d, bool receives)
{
	struct origin *o = origin_of(ctx, 0);
	if (!o)
		return false;
	if (same_address(&o->endpoint, &d->address) && o->endpoint_port == d->port) {
		d->address = o->address;
		d->port = o->port;
		return true;
	}
	if (!receives || !o->sends)
		return false;
	struct answer_key k = { .cookie = socket_cookie(ctx), .endpoint = d->address, .port = d->port };
	struct answer *v = map_lookup(&plc_answers, &k);
	if (!v)
		return false;
	d->address = v->address;
	d->port = v->port;
	return true;
}

INLINE int in4(struct bpf_sock_addr *ctx, bool receives)
{
	struct destination d = {};
	read4(ctx, &d);
	if (back(ctx, &d, receives))
		write4(ctx, &d);
	return 1;
}

INLINE int in6(struct bpf_sock_addr *ctx, bool receives)
{
	struct destination d = {};
	read6(ctx, &d);
	if (back(ctx, &d, receives))
		write6(ctx, &d);
	return 1;
}

SEC("cgroup/connect4") int connect4(struct bpf_sock_addr *ctx) { return out4(ctx, true); }
SEC("cgroup/connect6") int connect6(struct bpf_sock_addr *ctx) { return out6(ctx, true); }
SEC("cgroup/sendmsg4") int sendmsg4(struct bpf_sock_addr *ctx) { return out4(ctx, false); }
SEC("cgroup/sendmsg6") int sendmsg6(struct bpf_sock_addr *ctx) { return out6(ctx, false); }
SEC("cgroup/recvmsg4") int recvmsg4(struct bpf_sock_addr *ctx) { return in4(ctx, true); }
SEC("cgroup/recvmsg6") int recvmsg6(struct bpf_sock_addr *ctx) { return in6(ctx, true); }
SEC("cgroup/getpeername4") int getpeername4(struct bpf_sock_addr *ctx) { return in4(ctx, false); }
SEC("cgroup/getpeername6") int getpeername6(struct bpf_sock_addr *ctx) { return in6(ctx, false); }

/* What ask is given and what it answers, in the data of BPF_PROG_TEST_RUN. */
struct question {
	struct destination destination;
	__u32 node, first, second;
	__u64 netns;
	int verdict;
	__u32 answered;
};

/* ask runs pick alone: hooks of sockets cannot be run by BPF_PROG_TEST_RUN. */
SEC("tc") int ask(struct __sk_buff *skb)
{
	struct question q = {};
	__u64 active;
	if (skb_load_bytes(skb, QUESTION_AT, &q, sizeof(q)) || !read_active(&active))
		return 0;
	struct sender from = { .netns = q.netns, .node = q.node };
	__u64 service = 0;
	q.verdict = pick(active, &q.destination, &from, q.first, q.second, &service);
	q.answered = 1;
	return skb_store_bytes(skb, QUESTION_AT, &q, sizeof(q), 0) ? 1 : 0;
}

char _license[] SEC("license") = "GPL";
