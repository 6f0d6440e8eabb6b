package testkit

import (
	"fmt"
	"net/netip"
)

// Outcome is what a flow's client and server saw.
type Outcome struct {
	Fate Fate // what became of it
	// Endpoint is the address and port of the socket that answered.
	Endpoint netip.AddrPort
	// Source is the client's address as the server saw it.
	Source netip.Addr
	// AnsweredBy is the side whose socket answered.
	AnsweredBy Side
	// Resent is how many segments the client had to send again, with TCP: though
	// it was answered, the way there or back had lost something.
	Resent uint32
	// Err is why the flow failed, with [Failed].
	Err error
}

// String describes the outcome in a few words.
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

// The fates. Refused is ECONNREFUSED, which a rejecting rule and a closed port
// both cause; the rig leaves no port closed that a flow names. Failed is
// everything else that the kernel may say, as "no route to host".
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

// The sides: a process on the node (or a pod on the host's network), and
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
