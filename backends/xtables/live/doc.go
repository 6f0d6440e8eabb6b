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
// Only chains whose names start with PLC-, the jumps to them from built-in
// chains, and sets whose names start with plc- are ever looked at. Sets that
// rules fill (plc-af-, the clients of an affinity) keep what is in them.
package live
