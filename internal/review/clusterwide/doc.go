// Package clusterwide has the policies of all nodes as one. The program of one node
// has only the policies of its own pods; IDs of profiles and sets are made from
// content, so those of all nodes can be put together.
//
// Its answers are whole sets of ports ([Ports]), so that nothing has to be guessed:
// package resolve has the verdict of every port for every class of addresses. Both
// `diff` (package compare) and `matrix` (package connectivity) are made of them.
package clusterwide
