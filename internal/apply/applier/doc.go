// Package applier applies artifacts to this node's kernel, as a whole or not at
// all, and reverts them.
//
// A [Dataplane] is one backend's access to the kernel: it reads the rules,
// plans the changes, and executes them. The [Applier] drives dataplanes:
//
//	observe ─▶ plan ─▶ apply ─▶ verify ─▶ record
//
// The record contains the last artifact that was applied and verified, and the
// previous one, in files that are replaced by renaming: a crash at any moment
// does not lose what a rollback needs.
//
// A change that may be reverted is installed without a record. Its revert uses a
// [Snapshot] of the kernel, which is more reliable than any record.
package applier
