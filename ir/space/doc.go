// Package space represents sets of packets exactly, and evaluates them as if they
// were one packet.
//
// A [Box] is a product: one [Set] of numbers for each header field. [Packets] is a box
// in evaluation. An evaluator reads no field; it asks whether a field is in a set. If
// some packets of the box answer yes and others no, the box is cut in two: evaluation
// goes on with one part, and the other is kept for later. So an evaluation ends with
// one result for every packet of what is left of its box, and [Walk] evaluates what
// was cut off until nothing is left:
//
//	Walk(space, evaluate)   every packet of the space is in exactly one box,
//	                        and all packets of a box had the same answers
//
// This is exact for every evaluator that learns of packets by questions only, which
// the type ensures: it has no way to read a field of more than one value. A single
// packet is the box of its values, which no question cuts.
package space
