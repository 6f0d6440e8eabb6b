// Package nft reads rules.nft, the text that the nftables backend emits, and nothing
// more of nft's language: every statement and every fact of a set that a reader of the
// text has to know is a Go type here, and anything else is an error that names the line
// and what stands there.
//
//	Parse            text → tables, sets with their declarations, chains
//	Set.Elements     the elements of a set, one after the other
//	Chain.Lines      the rules of a chain as text
//	Chain.Rule       such a line → statements
//
// The text is taken apart where it lies: elements and rules stay text until they are
// asked for. There are hundreds of thousands of elements, and what a reader has read
// before it can leave out by comparing their text.
//
// Lines have the indentation that the backend gives them: one tab for what is in a
// table, two within that, three for elements.
package nft
