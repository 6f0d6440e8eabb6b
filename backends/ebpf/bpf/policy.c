//go:build ignore
/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * Policies, as the programs at a pod's interface will ask them. Only the judgement is
 * here yet, for the tests.
 */
#include "include/policy.h"

/* What ask is given and what it answers, in the data of BPF_PROG_TEST_RUN. */
struct question {
	struct opening opening;
	__u32 egress, ingress, answered;
};

SEC("tc") int ask(struct __sk_buff *skb)
{
	struct question q = {};
	__u32 slot;
	if (skb_load_bytes(skb, QUESTION_AT, &q, sizeof(q)) || !active_slot(&slot))
		return 0;
	q.egress = allows(slot, EGRESS, &q.opening);
	q.ingress = allows(slot, INGRESS, &q.opening);
	q.answered = 1;
	return skb_store_bytes(skb, QUESTION_AT, &q, sizeof(q), 0) ? 1 : 0;
}

char _license[] SEC("license") = "GPL";
