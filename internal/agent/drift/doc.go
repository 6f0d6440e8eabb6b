// Package drift notices that another program may have changed planec's rules.
//
// nftables notifies of each transaction, with its content and the socket that sent it: a
// transaction that touches planec's tables and came from another socket is drift. The
// kernel does not notify of changes to iptables' legacy tables, but their sizes are cheap
// to read, so this package polls them twice a second.
//
// A notice is a reason to compare, not a finding: the transaction may have changed nothing.
// A change without a notice is found by the next comparison of the whole.
package drift
