package interp

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/interp/nftables"
	"github.com/planec/planec/ir/eval"
)

// Interpreter says what happens to a packet.
type Interpreter interface {
	Eval(eval.Packet) (eval.Result, error)
}

// New interprets the artifact of the named backend. own are the node's own
// addresses, which a kernel knows and the files may not.
func New(backend string, a backends.Artifact, own []netip.Addr) (Interpreter, error) {
	switch backend {
	case "nftables":
		r, err := nftables.Parse(a.Files[0].Data)
		if err != nil {
			return nil, err
		}
		return nftables.New(r, own, true), nil
	}
	return nil, fmt.Errorf("backend %s has no interpreter", backend)
}
