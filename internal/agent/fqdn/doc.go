// Package fqdn learns the addresses of DNS names from the answers that a resolver of the node
// gives, and tells the compiler those that policies ask for.
//
//	resolver ──dnstap──▶ unix socket ─▶ frames ─▶ answers ─▶ cache ─▶ inbox
//
// dnstap (https://dnstap.info) is what CoreDNS, unbound, BIND and Knot write: messages of
// protobuf in Frame Streams. A frame has three fields of interest here, so they are read by
// protobuf's own wire package instead of generated code, and Frame Streams, which has two kinds
// of frames, by this package: its library in Go was last released in 2021. DNS messages are read
// by golang.org/x/net.
//
// What comes in is hostile. The socket is in a directory that only root may write, a frame is
// bounded before it is read, and nothing is kept but addresses of names that policies have.
package fqdn
