package testkit

import (
	"fmt"
	"net/netip"
)

// Outcome is what a flow's client and server observed.
type Outcome struct {
	Fate Fate // how the flow ended
	// Endpoint is the address and port of the socket that answered.
	Endpoint netip.AddrPort
	// Source is the client's address as the server saw it.
	Source netip.Addr
	// AnsweredBy is the side whose socket answered.
	AnsweredBy Side
	// Resent is the number of segments that a TCP client had to retransmit: the
	// flow was answered, but a packet was lost in one direction.
	Resent uint32
	// Err is the cause of [Failed].
	Err error
}

// String describes the outcome briefly.
func (o Outcome) String() string {
	switch {
	case o.Fate == Answered:
		return fmt.Sprintf("answered by %v (%v), which saw %v", o.Endpoint, o.AnsweredBy, o.Source)
	case o.Err != nil:
		return fmt.Sprintf("%v: %v", o.Fate, o.Err)
	}
	return o.Fate.String()
}

// Fate is how a flow ended.
type Fate uint8

// The fates. Refused is ECONNREFUSED, caused by a rejecting rule or a closed port;
// the rig closes no port that a flow names. Failed is any other error of the
// kernel, such as "no route to host".
const (
	Answered Fate = iota + 1
	Refused
	TimedOut
	Failed
)

// String returns "answered", "refused", "timed out" or "failed".
func (f Fate) String() string {
	switch f {
	case Answered:
		return "answered"
	case Refused:
		return "refused"
	case TimedOut:
		return "timed out"
	case Failed:
		return "failed"
	}
	return fmt.Sprintf("fate(%d)", uint8(f))
}

// Side is one of the rig's two namespaces.
type Side uint8

// The sides: processes on the node, including pods on the host network, and
// everything else.
const (
	NodeSide Side = iota + 1
	WorldSide
)

// String returns "node" or "world".
func (s Side) String() string {
	switch s {
	case NodeSide:
		return "node"
	case WorldSide:
		return "world"
	}
	return fmt.Sprintf("side(%d)", uint8(s))
}
