// Package proof shows that an artifact does with every packet what its program says, or
// finds packets with which it does something else.
//
// It evaluates all packets at once (package space): the evaluator divides them into
// boxes of packets that it treats alike, the interpreter of the artifact divides each of
// these further, and what the two say of each of the smallest boxes is compared. No packet
// is left out, and none is taken as an example for others that might be treated
// differently; docs/proof.md argues that, and says what is assumed.
package proof
