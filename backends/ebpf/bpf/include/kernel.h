/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * What the programs need of the kernel's interface, and nothing else: the bytes
 * of an object depend on every header that is read, so there are no others.
 * Numbers and fields are those of include/uapi/linux/bpf.h, which never change.
 */
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))

/* A function with a frame of its own: all that are active have 512 bytes for their variables. */
#define SEPARATE static __attribute__((noinline))

#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name
#define __array(name, val) typeof(val) *name[]

/* Numbers in packets and keys are in network order, and this is little-endian. */
#define be16(x) ((__be16)__builtin_bswap16(x))
#define be32(x) ((__be32)__builtin_bswap32(x))

enum map_type { MAP_HASH = 1, MAP_ARRAY = 2, MAP_LRU_HASH = 9, MAP_LPM_TRIE = 11, MAP_ARRAY_OF_MAPS = 12, MAP_SK_STORAGE = 24 };

enum map_flag { F_NO_PREALLOC = 1 << 0, F_RDONLY_PROG = 1 << 7, F_MMAPABLE = 1 << 10, F_INNER_MAP = 1 << 12 };

enum { UPDATE_ANY = 0, UPDATE_NEW = 1, STORAGE_CREATE = 1 };

enum { PROTO_TCP = 6, PROTO_UDP = 17 };

enum { ECONNREFUSED = 111, EHOSTUNREACH = 113 };

/* Where a test's question begins in the data of BPF_PROG_TEST_RUN: behind what the kernel
 * takes for headers. */
enum { QUESTION_AT = 64 };

struct bpf_sock;

/* The context of BPF_PROG_TYPE_CGROUP_SOCK_ADDR. */
struct bpf_sock_addr {
	__u32 user_family;
	__u32 user_ip4;
	__u32 user_ip6[4];
	__u32 user_port;
	__u32 family;
	__u32 type;
	__u32 protocol;
	__u32 msg_src_ip4;
	__u32 msg_src_ip6[4];
	union {
		struct bpf_sock *sk;
		__u64 : 64;
	} __attribute__((aligned(8)));
};

/* The context of BPF_PROG_TYPE_SCHED_CLS is only handed on to helpers here. */
struct __sk_buff {
	__u32 len;
};

static void *(*map_lookup)(const void *map, const void *key) = (void *)1;
static long (*map_update)(const void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static __u64 (*ktime_ns)(void) = (void *)5;
static __u32 (*random32)(void) = (void *)7;
static long (*skb_store_bytes)(struct __sk_buff *skb, __u32 offset, const void *from, __u32 len, __u64 flags) = (void *)9;
static long (*skb_load_bytes)(const void *skb, __u32 offset, void *to, __u32 len) = (void *)26;
static __u64 (*socket_cookie)(void *ctx) = (void *)46;
static void *(*sk_storage_get)(const void *map, void *sk, const void *value, __u64 flags) = (void *)107;
static __u64 (*netns_cookie)(void *ctx) = (void *)122;
static int (*set_retval)(int value) = (void *)187;
