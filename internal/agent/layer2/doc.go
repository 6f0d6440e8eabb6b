// Package layer2 makes a node answer for addresses of load balancers on its own network
// segment: ARP requests (RFC 826) and neighbour solicitations (RFC 4861), and it announces
// addresses that it takes over. The addresses are on no interface: what arrives for them is
// translated by the rules of Services.
//
// # One speaker
//
// Of the nodes that may answer for an address, one does. Each address has a Lease object, its
// claim, whose holder is a node; a claim is written when its holder changes and not renewed.
// That the holder lives is told by one Lease of its own for each node with claims, which it
// renews four times in its duration. So the load on the API server grows with the speakers and
// not with the addresses.
//
//   - A node answers only while its own Lease was renewed within three quarters of the duration,
//     counted from before the request.
//   - Another node takes a claim when it has seen the holder's Lease unchanged for a whole
//     duration by its own clock, and asks once more before. Clocks need not agree.
//   - A node whose Lease lapsed writes each of its claims again before it answers. So of two nodes
//     that both believe to have a claim, one meets a conflict of versions.
//   - A node that is no candidate any more stops first, and gives the claim back then.
//
// A node that cannot reach the API server stops answering: others cannot tell it from a dead one.
package layer2
