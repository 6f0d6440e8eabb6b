package interp

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/internal/interp/ebpf"
	"github.com/planec/planec/internal/interp/iptables"
	"github.com/planec/planec/internal/interp/ipvs"
	"github.com/planec/planec/internal/interp/nftables"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Interpreter determines what happens to a packet.
type Interpreter interface {
	Eval(eval.Packet) (eval.Result, error)
	// EvalAll determines it for every packet of what is left of the box.
	EvalAll(*space.Packets) (eval.Result, error)
	// Bound are the addresses that the files give to the node. The kernel takes
	// packets from elsewhere that come from one for forged, and drops them
	// (fib_validate_source in net/ipv4/fib_frontend.c).
	Bound() []netip.Addr
}

// certain adapts an interpreter that cannot fail: an image was verified when it
// was read.
type certain struct{ *ebpf.Interpreter }

func (c certain) Eval(p eval.Packet) (eval.Result, error) { return c.Interpreter.Eval(p), nil }

// Bound is nothing: what an image gives to the node are no addresses.
func (c certain) Bound() []netip.Addr { return nil }

// New returns an interpreter of the artifact of a backend. own are the node's own
// addresses, which a kernel knows and the files may lack. If explain is set,
// results contain the matching rules as steps.
func New(backend string, a backends.Artifact, own []netip.Addr, explain bool) (Interpreter, error) {
	switch backend {
	case "nftables":
		r, err := nftables.Parse(a.File("rules.nft"))
		if err != nil {
			return nil, err
		}
		return nftables.New(r, own, explain), nil
	case "iptables":
		return iptables.New(a.File, own, explain)
	case "ipvs":
		return ipvs.New(a.File, own, explain)
	case "ebpf":
		img, err := image.Read(a.File(image.ImageFile))
		if err != nil {
			return nil, err
		}
		return certain{ebpf.New(img)}, nil
	}
	return nil, fmt.Errorf("backend %s has no interpreter", backend)
}
