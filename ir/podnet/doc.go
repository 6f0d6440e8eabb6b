// Package podnet has the values that say how one node reaches the pods of the others:
// routes, and where packets are encapsulated the devices, neighbours and forwarding entries
// of these. Like a program, a network says what must be there and not how it gets there.
package podnet
