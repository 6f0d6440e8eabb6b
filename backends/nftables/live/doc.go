// Package live loads rules.nft, the nftables backend's artifact, into the kernel
// over netlink: first as a whole, atomically, and afterwards only the differences.
//
//	rules.nft ── Parse ──▶ Model ──┐
//	                               ├─ Diff ──▶ Plan ── Apply ──▶ kernel
//	kernel ─── Observe ──▶ State ──┘
//
// A [Model] is the text in the kernel's form: elements are the bytes of their keys
// and data, rules the attributes of their expressions, as Linux 6.18 dumps them and
// as nft 1.0.6 makes them from the same text. Equal models mean equal rules, and
// "nft list" prints both as the text. The expressions of a rule and their encoding
// are github.com/google/nftables' (expr_linux.go); dumped_linux.go writes them if
// the kernel dumps another form.
//
// # Changes
//
// A [Plan] is one transaction for both families. If tables, sets or base chains
// differ, it replaces the table; otherwise it changes single elements, chains and
// rules, and keeps what packets added to dynamic maps (affinity bindings). The
// kernel takes all of it or nothing, and packets never see a part of it.
//
// A plan that was made from an observation carries the generation of the observed
// ruleset. If any program has changed the ruleset since, the kernel refuses the
// plan (ERESTART), and Apply observes and plans again. After some attempts it
// omits the generation, because foreign transactions may never end; the kernel
// still refuses a plan that does not fit the tables.
//
// Only changes of planec's tables interrupt an observation. The kernel's
// notifications name the changed tables, and its count of a table's objects reveals
// gaps in the list of chains, which foreign chains can cause.
//
// A [Live] holds what was applied, and changes it without reading the kernel.
// Incremental plans carry no generation, because other programs change their rules
// all the time. Instead, each deleted element must exist and each added one must
// not, so a plan that conflicts with a foreign edit fails as a whole with
// [ErrDrift]. Verify finds the other foreign edits. Policies are compared as a
// whole: no rule or element links them with those of Services.
//
// # Two traps
//
// The list of elements in one message has an unchecked 16-bit length, so lists are
// split (maxListLen). Only the last message of a batch asks for an answer: more
// answers overflow the socket's buffer, and the outcome is unknown.
package live
