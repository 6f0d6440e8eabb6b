// Package live loads files for iptables-restore and ipset into a kernel, and removes their
// content: those of the iptables backend, and the rules of the ipvs backend. Linux only.
//
// A change uses as few transactions as the tools allow. First, the sets that new
// rules need are created and filled; an existing set with other content is
// replaced by a swap. Then one restore per family replaces the chains that differ
// and adds missing jumps. Finally, sets that no rule names any more are removed.
// At no time does a rule name a missing set, and a chain has either its old or its
// new rules.
//
// [Held] plans from the last applied artifact, without reading the kernel: it
// compares files by bytes, and parses only the chains and sets that differ. A
// fragment of the artifact may change only what belongs to one Service: its own
// chains and a few set members. Other changes, such as those of the dispatch tree,
// need a whole artifact.
//
// This package reads and changes only chains whose names start with PLC-, jumps to
// them from built-in chains, and sets whose names start with plc-. It keeps the
// members of sets that rules fill (plc-af-, the clients of an affinity).
package live
