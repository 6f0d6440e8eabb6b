// Package store keeps the Services of a generation in mapped maps, and changes any
// number of them at once for every program that begins afterwards.
//
//	keys:    HASH     layout.ServiceKey ─▶ index         inserted, deleted, never updated
//	words:   ARRAY    index ─▶ tag:16 │ old:24 │ new:24  one atomic store
//	records: ARRAY    number ─▶ layout.Service           written once, before it is named
//	places:  ARRAY    number ─▶ layout.Endpoint          pools: written once, before they are named
//	sources: LPM_TRIE set, address ─▶ 1                  source ranges: the same
//	active:  ARRAY[1] epoch:56 │ slot:8                  one atomic store: the commit
//
// A transaction from epoch E to E+1 waits until its keys are settled, writes new pools
// and records into free memory, and stores for each key the word {E+1, old, new}. Programs
// read active once: before the commit they take old, after it new. One store of active
// commits. After a grace period, in which every program ends that has begun before, the
// words become {0, new, new}, and what no word names any more is free.
//
// There is no journal. A process that opens the maps finds active and the words: a word with a
// tag that is not reached goes back to old, one with a tag that is on to new. Then it begins an
// epoch of its own: a writer that has the maps open since before would commit, with its next
// epoch, words of that epoch that this process leaves where it is killed. The tests kill
// writers at random moments while programs read.
//
// A key that is gone is deleted after the grace period of its transaction, and no other key
// is inserted before one more: the kernel uses an element of a hash again at once, and a
// program may still hold it.
//
// Why not values of a hash: the kernel replaces an element by a new one, and a program can
// meet neither. And no two values change together.
package store
