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
// Inner maps can be changed by nobody: programs may only read them
// (BPF_F_RDONLY_PROG) and user space is locked out (BPF_MAP_FREEZE). One process
// at a time may load; that is the caller's matter.
//
// Needs Linux 5.10 (inner arrays of different lengths); on kernels without
// batch operations for a kind of map entries go one by one. Everywhere but on
// Linux the package is empty.
package live
