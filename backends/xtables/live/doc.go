// Package live puts files for iptables-restore and ipset into a kernel, and takes them
// out: those of the iptables backend and the rules beside IPVS. Linux only.
//
// A change is made of as few whole transactions as the tools allow. Sets that
// rules will need are made and filled first, aside and swapped in where one of
// the name is there with other content; then one restore for each family
// replaces the chains that differ and adds the jumps that are missing; then the
// sets that no rule names any more go. At no moment does a rule name a set that
// is not there, and a chain is the old or the new one.
//
// [Held] plans from what was applied, without a look at the kernel: files are
// compared by their bytes, and only chains and sets that differ are parsed. A
// fragment of the artifact may change what is one Service's alone: its own chains
// and a few members of sets; more than that, as the tree of chains that leads to
// Services, is in a whole artifact only.
//
// Only chains whose names start with PLC-, the jumps to them from built-in
// chains, and sets whose names start with plc- are ever looked at. Sets that
// rules fill (plc-af-, the clients of an affinity) keep what is in them.
package live
