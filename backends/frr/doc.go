// Package frr writes what a node announces by BGP as one frr.conf, for FRR 8.4 and later.
//
// The file is the whole configuration of FRR's daemons zebra, bgpd and bfdd. Nothing is taken from
// neighbors: each is told the routes that it is to have, and all else is denied in both
// directions.
//
// # Small changes
//
// FRR's own reload compares the file with what runs, line by line, and removes lines before it
// adds others. A route whose line moves would be withdrawn for a moment. So no number in the file
// depends on other lines: the places of prefixes in a list, and of lists in a route map, are
// derived from what they say.
//
// # Injection
//
// Nothing of an object gets into the file as it is, but for addresses and numbers, names of
// interfaces, VRFs and BFD profiles that the compiler has checked, and names of objects, which
// are cut and cleaned (see [word]).
package frr
