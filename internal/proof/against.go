package proof

import (
	"fmt"

	"github.com/planec/planec/internal/interp/foreign"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Against is what a comparison with the rules of another program found.
type Against struct {
	Report
	// Meant are the documented differences, with the number of sets of packets of each.
	Meant []Meant
	// Notes say what was not compared.
	Notes []string
}

// Meant is a documented difference of which there are packets.
type Meant struct {
	Class string `json:"class"`
	Text  string `json:"text"`
	// Boxes is the number of sets of packets.
	Boxes int `json:"boxes"`
}

// CompareForeign compares the rules of another program with what a program says of
// Services, for every packet of the families that were listed. Policies and the node's
// egress masquerade are planec's only, and are left out of the question. Unlike in
// [Artifact], a difference that is documented is counted and not one of the differences. An
// error says that the rules cannot be judged, so nothing is shown.
//
// found are the compiler's diagnostics: they name the addresses that two Services claim.
func CompareForeign(p *ir.Program, found []diag.Diagnostic, files []foreign.File, most int) (Against, error) {
	services, notes := servicesOf(p)
	rules, err := foreign.New(files, p.Node.Addresses, false)
	if err != nil {
		return Against{}, err
	}
	e := eval.New(services)
	boxes, missing, err := listed(services, e, rules)
	if err != nil {
		return Against{}, err
	}
	out := Against{Notes: append(notes, missing...)}
	out.Notes = append(out.Notes, rules.Skipped()...)
	known := newMeant(services, found)
	o := outcomes{shares: true}
	c := Comparison{Want: Meaning(e), Got: rules.EvalAll, Most: most, Same: func(want, got *eval.Result, packets *space.Packets) string {
		reason := o.same(want, got, packets)
		if reason != "" && known.covers(want, got, packets) {
			return ""
		}
		return reason
	}}
	out.Report, err = c.Run(boxes)
	out.Meant = known.list()
	if err != nil || len(out.Differences) == 0 {
		return out, err
	}
	return out, explainForeign(&out.Report, e, files, p)
}

// servicesOf is the program without what only planec does.
func servicesOf(p *ir.Program) (*ir.Program, []string) {
	var notes []string
	out := *p
	if len(p.Policy.Profiles) > 0 {
		out.Policy = ir.Policy{}
		notes = append(notes, "policies are not compared: kube-proxy has none")
	}
	if len(p.Masquerade.Families) > 0 {
		out.Masquerade = ir.Masquerade{}
		notes = append(notes, "the node's egress masquerade is not compared: kube-proxy has none")
	}
	return &out, notes
}

// listed is every packet of the families that are listed.
func listed(p *ir.Program, e *eval.Evaluator, rules *foreign.Interpreter) (boxes []space.Box, notes []string, err error) {
	for _, f := range []ir.Family{ir.IPv4, ir.IPv6} {
		ipv6 := f == ir.IPv6
		if rules.Has(ipv6) {
			boxes = append(boxes, e.Space(ipv6, eval.States()...)...)
			continue
		}
		for i := range p.Frontends {
			if p.Frontends[i].Match.Family == f {
				return nil, nil, fmt.Errorf("there are Services of %v, and no rules of that family are given", f)
			}
		}
		notes = append(notes, fmt.Sprintf("%v is not compared: there are no Services and no rules of it", f))
	}
	return boxes, notes, nil
}

// explainForeign evaluates the packets of differences alone, with steps.
func explainForeign(r *Report, e *eval.Evaluator, files []foreign.File, p *ir.Program) error {
	rules, err := foreign.New(files, p.Node.Addresses, true)
	if err != nil {
		return err
	}
	for i := range r.Differences {
		d := &r.Differences[i]
		d.Want = e.Eval(d.Packet)
		if got, err := rules.Eval(d.Packet); err == nil {
			d.Got = got
		}
	}
	return nil
}
