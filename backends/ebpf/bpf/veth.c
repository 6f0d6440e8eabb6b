//go:build ignore
/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * Policies at a pod's interface, on the node's side of it: from_pod judges what the pod sends,
 * to_pod what it gets. Only the packets that open connections are judged; all others of the
 * connection follow, in both directions, also when policies have changed. What the node itself
 * sends is judged where the pod's policies are about it.
 */
#include "include/answer.h"
#include "include/direct.h"
#include "include/pick.h"

/* Rules of packets with the same policies are loaded too. They judge what goes to a Service
 * after it was given an endpoint, which is behind this hook. */
const volatile bool packet_rules;

/* Every packet is counted, and not only what is rare. */
const volatile bool count_all;

/* What a part of a program has decided: the verdict, or that the packet is handed to an interface,
 * which is in the upper half. */
#define DONE(verdict) ((__u64)(__u32)(verdict))
#define HANDED(to) ((__u64)(to) << 32)

/* The packet begins a connection that may be handed over, or nothing is known of it. */
#define BEGINS 100ULL
#define UNKNOWN 101ULL

enum { DENY_REJECT = 1 << 5 }; /* layout.FlagDenyReject */

enum counter {
	COUNT_KNOWN, /* packets of connections that were accepted */
	COUNT_ACCEPTED, /* accepted by policies, or there are none for the pod */
	COUNT_PASSED, /* not judged: neighbour discovery, no IP, what the node sends */
	COUNT_DENIED, /* denied by policies */
	COUNT_BROKEN, /* denied because a header could not be read */
	COUNT_PARTS, /* denied: a fragment of which the first one was not accepted */
	COUNT_MIDSTREAM, /* judged: TCP in the middle of a connection that is not known */
	COUNT_FULL, /* connections for which there was no room */
	COUNTERS,
};

enum { MAP_PERCPU_ARRAY = 6 };

/* Counters of from_pod, then those of to_pod. */
struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 8);
	__uint(max_entries, 2 * COUNTERS);
} plc_verdicts SEC(".maps");

INLINE void count(enum counter what, __u8 direction)
{
	if (what <= COUNT_PASSED && !count_all)
		return;
	__u32 at = what + (direction == INGRESS ? COUNTERS : 0);
	__u64 *n = map_lookup(&plc_verdicts, &at);
	if (n)
		++*n;
}

INLINE int passed(enum counter what, __u8 direction)
{
	count(what, direction);
	return NEXT;
}

INLINE int denied(enum counter what, __u8 direction)
{
	count(what, direction);
	return SHOT;
}

/* is_policed reports whether policies apply to the pod in this direction. */
INLINE bool is_policed(__u32 slot, const struct packet *p, __u8 direction)
{
	bool ipv6 = p->opening.ipv6;
	const struct address *subject = direction == EGRESS ? &p->opening.source : &p->opening.destination;
	struct pod *pod = pod_at(slot, subject, ipv6);
	if (!pod)
		return false;
	if (p->opening.own)
		return pod->flags & POD_OWN;
	if (!denies(pod, direction))
		return false;
	return direction == EGRESS || !is_own(slot, &p->opening.source, ipv6);
}

/* unreadable decides about what has no ports to judge by. */
INLINE int unreadable(const struct packet *p, __u8 direction, enum counter what)
{
	__u32 slot;
	__u8 own = p->opening.own;
	if (!active_slot(&slot) ? !own : is_policed(slot, p, direction))
		return denied(what, direction);
	return passed(own ? COUNT_PASSED : COUNT_ACCEPTED, direction);
}

/* is_exempt reports whether the node itself sends the packet, to a pod that does not judge it. */
INLINE bool is_exempt(const struct packet *p)
{
	__u32 slot;
	return p->opening.own && (!active_slot(&slot) || !is_policed(slot, p, INGRESS));
}

/* is_service reports whether a Service has the destination, so that it is not yet where the
 * packet goes to. */
INLINE bool is_service(__u64 active, const struct opening *o)
{
	struct destination d = { .address = o->destination, .port = o->port, .protocol = o->protocol, .ipv6 = o->ipv6 };
	__u32 zero = 0;
	int verdict = LEFT_ALONE;
	__u32 slot = slot_of(active);
	struct info *info = find(plc_metas, slot, &zero);
	return info && (service_of(active, info, &d, &verdict) || verdict != LEFT_ALONE);
}

/* What policies say of a packet. What goes to a Service is left to the rules, which judge it when
 * they have chosen an endpoint. */
enum { DENIED, ACCEPTED, LEFT };

/* ask asks the policies. Rules choose no endpoint for a packet to a covered pod, also if a Service
 * has its address (an external one). */
INLINE int ask(const struct packet *p, __u8 direction)
{
	__u64 active;
	if (!read_active(&active))
		return DENIED;
	if (p->opening.midstream)
		count(COUNT_MIDSTREAM, direction);
	if (allows(slot_of(active), direction, &p->opening))
		return ACCEPTED;
	if (direction == INGRESS || !packet_rules || map_lookup(&plc_covered, &p->opening.destination))
		return DENIED;
	return is_service(active, &p->opening) ? LEFT : DENIED;
}

/* is_spoofed reports whether a packet has the addresses of a connection that is handed over, and
 * was sent by another pod than that of its source: it must not end the handing over. */
INLINE bool is_spoofed(const struct skb *skb, const struct leg_key *k, const struct leg *l, __u8 direction)
{
	if (!l || !l->to)
		return false;
	return direction == EGRESS ? is_elsewhere(skb, &k->pod) : skb->ingress_ifindex != l->to;
}

/* keep notes what follows an accepted packet; l is the leg that there was. */
INLINE void keep(const struct skb *skb, const struct leg_key *k, const struct leg *l, const struct packet *p, __u8 direction, __u64 now)
{
	/* Only what opens a connection has a leg: an answer that is accepted by itself has none. */
	if (p->role <= ASKS && !is_spoofed(skb, k, l, direction) && !remember(k, direction, 0, now))
		count(COUNT_FULL, direction);
}

/* wants_answers reports whether the image has denied packets answered. */
INLINE bool wants_answers(void)
{
	__u32 zero = 0, slot;
	if (!active_slot(&slot))
		return false;
	struct info *info = find(plc_metas, slot, &zero);
	return info && info->flags & DENY_REJECT;
}

/* refused denies a packet, with an answer where there should be one. */
INLINE int refused(struct skb *skb, const struct packet *p, __u8 direction)
{
	count(COUNT_DENIED, direction);
	int verdict = wants_answers() && may_be_answered(skb, p, direction) ? answer(skb, p, direction) : 0;
	return verdict ? verdict : SHOT;
}

/* is_of_stack reports whether the stack has the packets of a leg. One of UDP counts for as long as
 * there is a trace of it: it may be translated for longer than it lives here. */
INLINE bool is_of_stack(const struct leg *l, __u8 protocol, __u64 now)
{
	return l && !l->to && (protocol == PROTO_UDP || lives(l, protocol, now));
}

/* may_begin reports whether a packet opens a connection that can be handed over. */
INLINE bool may_begin(const struct skb *skb, const struct leg_key *k, const struct leg *l, const struct packet *p, __u64 now)
{
	if (p->reading != WHOLE || !(k->protocol == PROTO_UDP || (k->protocol == PROTO_TCP && p->role == OPENS)))
		return false;
	return is_at(skb, &k->pod) && !is_of_stack(l, k->protocol, now);
}

/* knew is the verdict about a packet of a known leg. If it is handed over, the program at the other
 * end does not see that it is one of the last. */
INLINE __u64 knew(struct leg_key *k, const struct leg *l, const struct packet *p, __u8 direction)
{
	__u32 to = *(volatile __u32 *)&l->to; /* once: a leg that is forgotten may become another one */
	count(COUNT_KNOWN, direction);
	if (direction == INGRESS || !to || p->reading != WHOLE)
		return DONE(NEXT);
	if (l->closing) {
		swap_ends(k);
		close_leg(k);
	}
	return HANDED(to);
}

/* judged decides about a packet that has all of its headers. */
INLINE __u64 judged(struct skb *skb, const struct packet *p, __u8 direction, __u64 now)
{
	struct leg_key k;
	leg_of(&k, p, direction);
	struct leg *l = map_lookup(&plc_legs, &k);
	if (p->role < REPORTS && p->role != OPENS && lives(l, k.protocol, now)) {
		renew(l, p, now);
		return knew(&k, l, p, direction);
	}
	if (is_exempt(p)) {
		keep(skb, &k, l, p, direction, now);
		return DONE(passed(COUNT_PASSED, direction));
	}
	if (is_answer(skb, p, direction) || (p->role == REPORTS && is_related(skb, p, direction, now)))
		return DONE(passed(COUNT_KNOWN, direction));
	int said = ask(p, direction);
	if (said == DENIED)
		return DONE(refused(skb, p, direction));
	count(COUNT_ACCEPTED, direction);
	if (direction == EGRESS && said == ACCEPTED && may_begin(skb, &k, l, p, now))
		return BEGINS;
	keep(skb, &k, l, p, direction, now);
	return DONE(NEXT);
}

INLINE bool is_neighbour_discovery(const struct packet *p)
{
	return p->opening.ipv6 && p->opening.protocol == PROTO_ICMPV6 && p->opening.type >= NEIGHBOUR_FIRST && p->opening.type <= NEIGHBOUR_LAST;
}

/* is_of_node reports whether the node itself sends the packet. It is computed without a branch: the
 * verifier would walk all that follows once for each. */
INLINE __u8 is_of_node(const struct skb *skb)
{
	__u64 from = skb->ingress_ifindex;
	asm volatile("" : "+r"(from));
	from = (from - 1) >> 63;
	asm volatile("" : "+r"(from));
	return (__u8)from;
}

/* examine decides about what is no packet of a known connection, or was not seen to be one. */
INLINE __u64 examine(struct skb *skb, __u8 direction)
{
	struct packet p = {};
	read_packet(skb, &p);
	if (p.reading == FOREIGN)
		return DONE(passed(COUNT_PASSED, direction));
	/* The kernel takes one tag off before this hook and a second one behind it. The other end of a
	 * pod's interface has no reason for any. */
	if (p.reading == TAGGED || p.reading == HEADLESS)
		return DONE(denied(COUNT_BROKEN, direction));
	if (direction == INGRESS)
		p.opening.own = is_of_node(skb);
	__u64 now = ktime_coarse_ns();
	if (p.reading == LATER) {
		if (known_part(&p, direction, now))
			return DONE(passed(COUNT_KNOWN, direction));
		return DONE(unreadable(&p, direction, COUNT_PARTS));
	}
	if (p.reading == BROKEN)
		return DONE(unreadable(&p, direction, COUNT_BROKEN));
	if (is_neighbour_discovery(&p))
		return DONE(passed(COUNT_PASSED, direction));
	__u64 verdict = judged(skb, &p, direction, now);
	if (verdict == DONE(NEXT) && p.reading == FIRST && !remember_part(&p, direction, now))
		count(COUNT_FULL, direction);
	return verdict;
}

/* opens_to reports whether the other pod accepts the connection, and its packets may be handed
 * over: not if it has one with the same ports that the stack has, since answers of that may be
 * translated back. A UDP connection that it knows goes on as it began. */
INLINE bool opens_to(const struct leg_key *other, const struct leg_key *k, __u64 now)
{
	struct leg *l = map_lookup(&plc_legs, other);
	if (is_of_stack(l, k->protocol, now))
		return false;
	if (k->protocol == PROTO_UDP && lives(l, PROTO_UDP, now))
		return true;
	struct opening o = {
		.source = k->pod, .destination = k->peer, .source_port = k->pod_port, .port = k->peer_port, .protocol = k->protocol, .ipv6 = k->ipv6,
	};
	__u32 slot;
	return active_slot(&slot) && allows(slot, INGRESS, &o);
}

/* stays leaves a connection to the stack. */
INLINE int stays(const struct leg_key *k, __u64 now)
{
	if (!remember(k, EGRESS, 0, now))
		count(COUNT_FULL, EGRESS);
	return NEXT;
}

/* begin hands over the first packet of a connection that the pod's own policies accept, if those
 * of the other pod do. What that one denies goes by the stack, and the program there answers it. */
SEPARATE int begin(struct skb *skb)
{
	struct handover h;
	struct leg_key k, other;
	__u64 now = ktime_coarse_ns();
	if (!read_ends(skb, &k, &h))
		return NEXT;
	__u32 *place = map_lookup(&plc_covered, &k.peer);
	if (!place)
		return stays(&k, now);
	__u32 to = *(volatile __u32 *)place; /* once: the map may change */
	if (!to || to == skb->ifindex || !can_hand(skb, &k, to, &h))
		return stays(&k, now);
	other_end(&other, &k);
	if (!opens_to(&other, &k, now) || !remember(&other, INGRESS, skb->ifindex, now) || !remember(&k, EGRESS, to, now))
		return stays(&k, now);
	count(COUNT_ACCEPTED, INGRESS);
	return hand(skb, &k, to, &h);
}

SEPARATE __u64 known_sent(struct skb *skb)
{
	struct leg_key k;
	struct leg *l = plain_leg(skb, EGRESS, &k);
	if (!l)
		return UNKNOWN;
	__u32 to = *(volatile __u32 *)&l->to;
	count(COUNT_KNOWN, EGRESS);
	return to ? HANDED(to) : DONE(NEXT);
}

SEPARATE __u64 examine_sent(struct skb *skb) { return examine(skb, EGRESS); }

SEC("tcx/ingress") int from_pod(struct skb *skb)
{
	__u64 said = known_sent(skb);
	if (said == UNKNOWN)
		said = examine_sent(skb);
	if (said == BEGINS)
		return begin(skb);
	return said >> 32 ? follow(skb, (__u32)(said >> 32)) : (int)said;
}

SEC("tcx/egress") int to_pod(struct skb *skb)
{
	struct leg_key k;
	if (__builtin_expect(plain_leg(skb, INGRESS, &k) != NULL, true))
		return passed(COUNT_KNOWN, INGRESS);
	return (int)examine(skb, INGRESS);
}

char _license[] SEC("license") = "GPL";
