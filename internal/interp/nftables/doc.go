// Package nftables interprets the text of nftables rules, as far as planec emits
// it: packet in, fate out, without a kernel and without root. It shares no code
// with the emitter, so that the two can find each other's mistakes. The text is read by
// package nft, by which it is loaded too; what a statement means to a packet is here.
//
// What it knows of nft is what nft's manual says of those statements. Where a rule
// draws a random number, every number is tried, so that the result has every endpoint
// that the packet may get. Every packet is the first of its connection, and its client
// has not been seen before: maps that rules fill are empty at its start.
//
//	Parse    text → tables, sets with their elements, chains of statements
//	Eval     the hooks in their order: prerouting or output, then input, or
//	         forward and postrouting
package nftables
