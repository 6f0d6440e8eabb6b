/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */

/*
 * Services that change one by one, and any number of them at once: package
 * backends/ebpf/store writes what is read here.
 *
 *   key ─▶ index ─▶ word: tag, old, new ─▶ record ─▶ endpoints
 *
 * A word says which record is a Service's: new for programs whose epoch is not before
 * the tag, old for those before. So one store of active, which has the epoch, changes
 * all Services of a transaction for every program that begins after it, and none for one
 * that has begun. Record 0 is no Service.
 */
#pragma once
#include "slots.h"

SLOT_MAP(plc_keys, MAP_HASH, sizeof(struct service_key), 4, F_RDONLY_PROG);
SLOT_MAP(plc_words, MAP_ARRAY, 4, 8, F_MMAPABLE | F_INNER_MAP);
SLOT_MAP(plc_records, MAP_ARRAY, 4, 64, F_MMAPABLE | F_INNER_MAP);
SLOT_MAP(plc_places, MAP_ARRAY, 4, 32, F_MMAPABLE | F_INNER_MAP);

/* What active holds: the slot in the lowest byte, the epoch above it. */
INLINE __u32 slot_of(__u64 active) { return (__u32)(active & 0xff); }
INLINE __u16 epoch_of(__u64 active) { return (__u16)(active >> 8); }

INLINE __u32 record_of(__u64 word, __u16 epoch)
{
	__u16 tag = (__u16)(word >> 48);
	return (__u32)((short)(__u16)(epoch - tag) >= 0 ? word : word >> 24) & 0xffffff;
}

/*
 * record_at finds the record of a key, or NULL. Processors that read out of order (arm64)
 * keep the order of dependent reads: the address of the word depends on the slot, and so on
 * the value of active; that of the record depends on the word. So a word is never older
 * than active, nor a record older than its word.
 */
INLINE void *record_at(__u64 active, const struct service_key *key)
{
	__u32 slot = slot_of(active);
	__u32 *index = find(plc_keys, slot, key);
	if (!index)
		return NULL;
	__u64 *word = find(plc_words, slot, index);
	if (!word)
		return NULL;
	__u32 record = record_of(*(volatile __u64 *)word, epoch_of(active));
	return record ? find(plc_records, slot, &record) : NULL;
}
