// Package iptables interprets the input of iptables-restore and ipset restore as far
// as planec emits it: a packet in, its result out, without a kernel and without root.
// It shares no code with the emitters, so that each can reveal mistakes of the other;
// internal/text parses the syntax, and this package defines the semantics.
//
// The package serves all backends that filter with iptables: internal/interp/ipvs
// sends its packets through the hooks of this package.
//
// The semantics of matches and targets are those of iptables-extensions(8) and the
// kernel's netfilter. What the tools or the kernel would reject at load time is an
// error, and so is everything unknown: there are no guesses. For the statistic
// match, both outcomes are followed. Every packet is the first of its connection,
// and its client has not connected before.
package iptables
