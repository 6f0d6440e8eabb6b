// Package xtables has what backends that write iptables and ipset text share: the
// names of chains and sets and what they are for, the jumps to the chains, and the
// matches of local packets.
package xtables
