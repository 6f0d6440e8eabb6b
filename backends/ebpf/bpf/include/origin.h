/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * What a socket was sent to, and what it got.
 */
#pragma once
#include "slots.h"

struct origin {
	struct address address, endpoint;
	__be16 port, endpoint_port;
	/* Whether the socket has sent to a Service without connecting: a UDP server's
	 * answers need no second look-up. */
	__u32 sends;
};

struct {
	__uint(type, MAP_SK_STORAGE);
	__uint(map_flags, F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct origin);
} plc_origin SEC(".maps");
