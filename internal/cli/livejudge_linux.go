package cli

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/internal/apply/dataplane"
	interp "github.com/planec/planec/internal/interp/ebpf"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// liveJudge asks the eBPF maps and programs in this node's kernel.
type liveJudge struct {
	live *dataplane.Live
	maps *interp.Interpreter
}

// liveJudges is the judge of the node that this is; of all others, the evaluator.
func liveJudges(ctx context.Context, backend, node, dir string) (func(*ir.Program) (netpath.Judge, error), error) {
	if backend != ebpf.Name {
		return nil, inputError(fmt.Errorf("--live needs --backend %s", ebpf.Name))
	}
	l, err := dataplane.OpenLive(ctx, dir)
	if err != nil {
		return nil, systemError(fmt.Errorf("reading the maps of this node: %w", err))
	}
	return func(p *ir.Program) (netpath.Judge, error) {
		if p.Node.Name != node {
			return netpath.Evaluator(p)
		}
		return &liveJudge{l, interp.New(l.Image)}, nil
	}, nil
}

// draws is how often the program is asked: so many endpoints of equal weight can be
// found, mostly.
const draws = 256

// Eval implements [netpath.Judge]. What sockets decide is the answer of the program; the
// rest is what the maps say.
func (j *liveJudge) Eval(p eval.Packet) (eval.Result, error) {
	r := j.maps.Eval(p)
	if p.From == eval.FromOutside || p.Protocol != ir.TCP && p.Protocol != ir.UDP {
		return r, nil
	}
	questions := make([]live.Question, draws)
	rng := rand.New(rand.NewPCG(uint64(p.Port), uint64(draws)))
	for i := range questions {
		questions[i] = live.Question{
			To: netip.AddrPortFrom(p.Dst, p.Port), Protocol: uint8(p.Protocol), Node: p.From == eval.FromNode,
			Draws: [2]uint32{rng.Uint32(), rng.Uint32()},
		}
	}
	answers, err := j.live.Ask(questions)
	if err != nil {
		return r, err
	}
	return answered(r, answers), nil
}

// answered is what the maps say, corrected by what the program says.
func answered(r eval.Result, answers []live.Answer) eval.Result {
	step := func(text string) { r.Steps = append(r.Steps, eval.Step{Stage: "socket", Text: text}) }
	switch first := answers[0]; {
	case first.Verdict == 0:
		step("the program in the kernel leaves the connection to the rules for packets")
		return r
	case first.Verdict < 0:
		r.Endpoints, r.Denied, r.Masquerade, r.Verdict = nil, nil, false, eval.Reject
		if first.Refusal() == unix.EHOSTUNREACH {
			r.Verdict = eval.Drop
		}
		step("the program in the kernel refuses the connection: " + first.Refusal().Error())
		return r
	}
	counts := make(map[netip.AddrPort]int)
	for _, a := range answers {
		counts[a.Endpoint]++
	}
	known := append(slices.Clone(r.Endpoints), r.Denied...)
	var said []string
	for _, at := range slices.SortedFunc(maps.Keys(counts), netip.AddrPort.Compare) {
		said = append(said, fmt.Sprintf("%v (%d)", at, counts[at]))
		if !slices.ContainsFunc(known, func(c eval.Choice) bool { return c.Address == at }) {
			r.Verdict, r.Endpoints = eval.DNAT, append(r.Endpoints, eval.Choice{Address: at, Weight: 1})
		}
	}
	// No packet is translated, so nothing is masqueraded for the sake of answers.
	r.Masquerade = false
	for i := range r.Endpoints {
		r.Endpoints[i].Masquerade, r.Endpoints[i].Hairpin = false, false
	}
	step(fmt.Sprintf("the program in the kernel was asked %d times: %s", len(answers), strings.Join(said, ", ")))
	return r
}
