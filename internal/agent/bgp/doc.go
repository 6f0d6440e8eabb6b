// Package bgp keeps FRR doing what objects say of announcements by BGP: it makes this node's
// frr.conf anew with each change, has FRR load it, and puts back what another program changes.
// What a node announces is compiler/announce's, and how FRR is given a file internal/apply/frrload's.
package bgp
