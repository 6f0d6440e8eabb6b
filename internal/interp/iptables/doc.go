// Package iptables interprets the text of iptables-restore and ipset restore, as
// far as planec emits it: packet in, fate out, without a kernel and without
// root. It shares no code with the emitters, so that they can find each other's
// mistakes; internal/text reads the syntax, and what it means is here.
//
// It is one machine for all that filter packets by iptables: rules beside IPVS
// are followed by internal/interp/ipvs, which sends its packets through the hooks
// of this package.
//
// Matches and targets mean what iptables-extensions(8) and the kernel's netfilter
// say of them. What the tools or the kernel would refuse at load is an error, and
// what is not known here is one, never a guess. Where the statistic match throws
// a die, both sides are tried. Every packet is the first of its connection, and
// its client has not been seen before.
package iptables
