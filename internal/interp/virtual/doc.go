// Package virtual interprets IPVS's table of virtual services: which one takes a packet, and
// which endpoints it may get, each with its part of the connections. It reads the input of
// ipvsadm -R, which is the output of ipvsadm -S, for planec's own files (package interp/ipvs)
// and for those of other programs (package interp/foreign).
package virtual
