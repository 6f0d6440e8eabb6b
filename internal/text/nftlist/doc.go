// Package nftlist reads what `nft list ruleset` and `nft list table` print, of tables of any
// program. Package nft reads the closed form that planec writes, with types and all; this
// one reads tables, sets, chains and words, and leaves to its user what a rule means: a
// word that the user does not know is its user's to refuse, with the line.
package nftlist
