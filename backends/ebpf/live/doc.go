// Package live loads map images into the kernel, so that programs see one image or the
// next and never parts of two, and reads them back for comparison.
//
//	active ──▶ epoch │ slot 0 or 1      the only commit point: one aligned 64-bit store
//	                     │
//	plc_metas    [ inner map │ inner map ]   an array of maps for each map of the rest: meta, addr,
//	plc_pods     [ inner map │ inner map ]   prefix, policies. A generation is made unreferenced,
//	...                                      filled, read back, compared, frozen, put in its slot
//	plc_keys     [ inner map ════ the same ] the maps of Services: key ─▶ word ─▶ record ─▶ places,
//	plc_words    [ inner map ════ the same ] and source ranges. They change in place (package store):
//	...                                      a word means the old record before an epoch, and the
//	                                         new one from it on
//
// So one store of active commits any number of changed Services, and a generation of the
// rest with them. Where nothing but Services changes, the slot stays. Maps of Services that
// are full, or not right, are replaced by larger ones in the other slot, by the same store.
//
// A program reads active once per run, so that a run sees one image. If the
// loading process dies before the flip, the old image remains active: the next load replaces
// the remains in the other slot, and words of an epoch that never came go back. If it dies after
// the flip, the new image is active. There is no journal.
//
// Programs can only read inner maps (BPF_F_RDONLY_PROG, or by what they are), and
// user space cannot write to those of the rest (BPF_MAP_FREEZE); maps of Services are mapped
// into memory, which cannot be frozen. Only one process at a time may load; [Pins] ensures
// this with a lock on the directory, which a process keeps until its change is settled.
//
// [Pins] is a node's dataplane: the arrays and active are pinned below a directory
// of a BPF file system, so that they outlive every process.
//
//	Observe ─▶ State ─▶ NewPlan(have, want) ─▶ Plan ─▶ Apply
//	           Held.Change(before, after)   ─▶ Plan ─▶ Apply ─▶ Held.Commit
//
// Observe reads every active entry, of the rest only from frozen maps, and makes of them the
// image that a compilation writes (image.Assemble), so that a digest compares them. A plan of
// [Held] looks at nothing but the Services of the change, and its cost does not depend on how
// many others there are.
//
// Pins that are not all there, or of another layout, are replaced by a whole set of new ones:
// programs that are attached go on with the former maps, as they were, until others are
// attached. The pin of active goes first and comes last; without it, there is no image.
// Pins of other names are ignored; a foreign object with the name of a planec map is an error.
//
// Package live needs Linux 5.10 (inner arrays of different lengths). If the kernel
// lacks batch operations for a type of map, entries are transferred one by one.
// Other systems than Linux only have plans.
package live
