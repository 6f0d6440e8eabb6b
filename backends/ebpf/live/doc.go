// Package live puts map images into the kernel: all of an image or nothing, in
// one step, and back out again to compare.
//
//	active ──▶ slot 0 or 1           the only commit point: one aligned 64-bit store
//	             │
//	plc_svc     [ inner map │ inner map ]    one array of maps for each map of the image,
//	plc_ep      [ inner map │ inner map ]    a program uses the active slot of all of them
//	...              ▲            ▲
//	            serves now     the next image: made unreferenced, filled, read back,
//	                           compared, frozen, put in its slot; then the flip
//
// A program reads active once a run, so that one run sees one image. A process
// that dies before the flip leaves the old image serving and garbage in the
// other slot, which the next load replaces; one that dies after it leaves the
// new image. There is no journal.
//
// Inner maps cannot be changed: programs may only read them
// (BPF_F_RDONLY_PROG) and user space is locked out (BPF_MAP_FREEZE). One process
// at a time may load; with [Pins], which locks the directory, that is so.
//
// [Pins] is a node's dataplane: the arrays and active are pinned below a directory
// of a BPF file system, so that they outlive every process.
//
//	Observe ─▶ State ─▶ NewPlan(have, want) ─▶ Plan ─▶ Apply
//
// Observe reads every entry of what is active, from frozen maps only, and
// verifies it as an image; for maps whose numbers it has read before it need
// not. A plan counts entries, but carrying it out always makes a whole
// generation. Nothing under another name is looked at, and an object of others
// under one of ours is an error that says so.
//
// Needs Linux 5.10 (inner arrays of different lengths); on kernels without
// batch operations for a kind of map entries go one by one. Everywhere but on
// Linux there are only plans.
package live
