/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
#pragma once
#include "layout.h"

/* Where a socket or a packet is sent to. */
struct destination {
	struct address address;
	__be16 port;
	__u8 protocol;
	bool ipv6; /* of the packet: an IPv4-mapped address of a socket is IPv4 */
};

INLINE bool is_loopback(const struct destination *d)
{
	const __be32 *w = d->address.word;
	if (d->ipv6)
		return !w[0] && !w[1] && !w[2] && w[3] == be32(1);
	return (w[3] & be32(0xff000000)) == be32(0x7f000000);
}
