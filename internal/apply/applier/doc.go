// Package applier puts artifacts into this node's kernel: all of one or nothing,
// and back again.
//
// A [Dataplane] is what one backend knows of the kernel: what of it is there,
// what would have to change, and how to change it. The [Applier] drives them:
//
//	observe ─▶ plan ─▶ apply ─▶ verify ─▶ record
//
// The record is the last artifact that was applied and verified, with the one
// before it, in files that are replaced by renaming: what there is to go back to
// survives a crash at any moment.
//
// A change that may be taken back is installed without a record. What it goes back to
// is a [Snapshot] of the kernel, which knows better than any record.
package applier
