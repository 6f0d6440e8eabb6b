package proof

import (
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// class is one kind of packets that planec treats differently from kube-proxy, on purpose.
type class struct {
	name, text string
	// is reports whether a difference is of the class.
	is func(m *meant, want, got *eval.Result, p *space.Packets, o *outcomes) bool
}

// classes are all documented differences; docs/proof.md has them too.
var classes = []class{
	{"invalid", "a packet of no connection is dropped where the node would forward it; kube-proxy does so in its iptables mode only", isInvalid},
}

// meant counts documented differences.
type meant struct {
	program *ir.Program
	count   []int
}

func newMeant(p *ir.Program) *meant { return &meant{program: p, count: make([]int, len(classes))} }

// covers reports whether a difference is documented, and counts it.
func (m *meant) covers(want, got *eval.Result, p *space.Packets, o *outcomes) bool {
	at := slices.IndexFunc(classes, func(c class) bool { return c.is(m, want, got, p, o) })
	if at >= 0 {
		m.count[at]++
	}
	return at >= 0
}

func (m *meant) list() (out []Meant) {
	for i, n := range m.count {
		if n > 0 {
			out = append(out, Meant{classes[i].name, classes[i].text, n})
		}
	}
	return out
}

func isInvalid(m *meant, want, got *eval.Result, p *space.Packets, _ *outcomes) bool {
	return m.program.Node.DropInvalid && want.Verdict == eval.Drop && got.Verdict == eval.Pass && p.Is(space.State, space.N(uint64(eval.Invalid)))
}
