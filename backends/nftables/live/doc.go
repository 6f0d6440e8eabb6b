// Package live puts rules.nft, the nftables backend's artifact, into the kernel
// over netlink: all of it or nothing, and afterwards only what differs.
//
//	rules.nft ── Parse ──▶ Model ──┐
//	                               ├─ Diff ──▶ Plan ── Apply ──▶ kernel
//	kernel ─── Observe ──▶ State ──┘
//
// A [Model] is the text as the kernel has it: elements are the bytes of their
// keys and data, rules the attributes of their expressions, spelled as Linux 6.18
// dumps them and as nft 1.0.6 makes them of the same text. Two models that are
// equal are equal rules, and "nft list" prints either as the text says. The
// expressions of a rule are github.com/google/nftables' (expr_linux.go), which also
// encodes them; where the kernel dumps another form, dumped_linux.go writes that.
//
// # Changes
//
// A [Plan] is one transaction, for both families. Where tables, sets or base
// chains differ the table is replaced as a whole; else elements, chains and rules
// change one by one and what the packets put into dynamic maps (affinity
// bindings) stays. The kernel takes all of it or none, and no packet sees half.
//
// A plan that was made from an observation carries the generation of the ruleset
// that was seen. When anybody has changed anything since, the kernel refuses it
// (ERESTART), and Apply observes and plans again; after some tries the plan goes
// without the generation, since foreign transactions may never end. What it meets
// otherwise than planned refuses it then too.
//
// Observing is interrupted by changes of our tables only: the kernel's notices say
// what a transaction changed, and its count of a table's objects whether the list of
// chains, which foreign chains can move, has gaps.
//
// A [Live] holds what was applied and changes it without reading the kernel or
// looking at the rest. Its plans carry no generation, since other people's rules
// change all the time; each element that one deletes must be there and each that
// one adds must not, so what was changed behind our back and is in the way makes
// it fail, as a whole, with [ErrDrift]. What is not in the way is found by Verify.
// Policies are compared with all that is held of them: nothing of Services leads
// there or away from there.
//
// # Two traps
//
// The list of elements in one message has a 16-bit length that nothing checks, so
// lists are cut (maxListLen). Only the last message of a batch asks for an answer:
// more of them overflow the socket's buffer, and then it is not known what happened.
package live
