// Package nftables interprets the text of nftables rules as far as planec emits
// it: a packet in, its result out, without a kernel and without root. It shares no
// code with the emitter, so that each can reveal mistakes of the other.
//
// The semantics of the accepted statements are those of nft's manual; any other
// statement is an error, never a guess. Where a rule draws a random number, every
// number is tried, so that the result has every possible endpoint of the packet.
// Every packet is the first of its connection, and its client has not connected
// before: maps that rules fill are empty at the start.
//
//	Parse    text → tables, sets, chains of parsed statements
//	Eval     the hooks in their order: prerouting or output, then input, or
//	         forward and postrouting
package nftables
