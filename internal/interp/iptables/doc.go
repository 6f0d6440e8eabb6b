// Package iptables interprets the text of iptables-restore and ipset restore, as
// far as planec emits it: packet in, fate out, without a kernel and without
// root. It shares no code with the emitter, so that the two can find each
// other's mistakes.
//
// Matches and targets mean what iptables-extensions(8) says of them; one that is
// not known here is an error, never a guess. Where the statistic match throws a
// die, both sides are tried. Every packet is the first of its connection, and
// its client has not been seen before.
//
//	ParseSets   ipset restore text → sets
//	Parse       iptables-restore text → tables, chains of parsed rules
//	Eval        the tables of the hooks in their order
package iptables
