// Package live loads map images into the kernel, as a whole or not at all, and
// reads them back for comparison.
//
//	active ──▶ slot 0 or 1           the only commit point: one aligned 64-bit store
//	             │
//	plc_svc     [ inner map │ inner map ]    one array of maps for each map of the image,
//	plc_ep      [ inner map │ inner map ]    a program uses the active slot of all of them
//	...              ▲            ▲
//	            serves now     the next image: made unreferenced, filled, read back,
//	                           compared, frozen, put in its slot; then the flip
//
// A program reads active once per run, so that a run sees one image. If the
// loading process dies before the flip, the old image remains active, and the next
// load replaces the remains in the other slot. If it dies after the flip, the new
// image is active. There is no journal.
//
// Inner maps are immutable: programs can only read them (BPF_F_RDONLY_PROG), and
// user space cannot write to them (BPF_MAP_FREEZE). Only one process at a time may
// load; [Pins] ensures this with a lock on the directory.
//
// [Pins] is a node's dataplane: the arrays and active are pinned below a directory
// of a BPF file system, so that they outlive every process.
//
//	Observe ─▶ State ─▶ NewPlan(have, want) ─▶ Plan ─▶ Apply
//
// Observe reads every active entry, only from frozen maps, and verifies the image.
// It skips this for maps with IDs that it has already read. A plan counts changed
// entries, but applying it always creates a whole generation. Maps with other
// names are ignored; a foreign object with the name of a planec map is an error.
//
// Package live needs Linux 5.10 (inner arrays of different lengths). If the kernel
// lacks batch operations for a type of map, entries are transferred one by one.
// Other systems than Linux only have plans.
package live
