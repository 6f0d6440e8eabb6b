package proof

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strings"

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
	// IPVS says that virtual services of IPVS belong to the rules, so that only the first
	// packets of connections were compared.
	IPVS bool
}

// Meant is a documented difference of which there are packets.
type Meant struct {
	Class string `json:"class"`
	Text  string `json:"text"`
	// Boxes is the number of sets of packets.
	Boxes int `json:"boxes"`
}

// Facts are what the program does not have of the objects, and documented differences
// depend on.
type Facts struct {
	// Found are the compiler's diagnostics: they name the addresses that two Services
	// claim, and endpoints with several entries.
	Found []diag.Diagnostic
	// Elsewhere are the addresses of endpoints with an entry in an EndpointSlice whose
	// node is not that of the program.
	Elsewhere map[netip.Addr]bool
}

// CompareForeign compares the rules of another program with what a program says of
// Services, for every packet of the families that were listed. Policies and the node's
// egress masquerade are planec's only, and are left out of the question. Unlike in
// [Artifact], a difference that is documented is counted and not one of the differences. An
// error says that the rules cannot be judged, so nothing is shown.
func CompareForeign(p *ir.Program, facts Facts, files []foreign.File, most int) (Against, error) {
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
	out := Against{Notes: append(notes, missing...), IPVS: rules.IPVS()}
	out.Notes = append(out.Notes, rules.Skipped()...)
	known := newMeant(services, &facts, func(packets *space.Packets) mode {
		switch {
		case rules.IPVS():
			return ipvsMode
		case rules.IPTables(packets.IPv6()):
			return iptablesMode
		}
		return nftMode
	})
	known.bound = map[bool]space.Set{false: numbers(rules.Bound(), false), true: numbers(rules.Bound(), true)}
	o := outcomes{shares: true}
	c := Comparison{Want: Meaning(e), Got: rules.EvalAll, Most: most, Same: func(want, got *eval.Result, packets *space.Packets) string {
		reason := o.same(want, got, packets)
		if reason != "" && known.covers(want, got, packets) {
			return ""
		}
		return reason
	}}
	if out.Report, err = c.Run(boxes); err != nil {
		return out, err
	}
	bound := len(out.Differences)
	if known.virtual = rules.IPVS(); known.virtual {
		if err := out.unbound(&c, services, e, rules); err != nil {
			return out, err
		}
	}
	out.Meant = known.list()
	if len(out.Differences) == 0 {
		return out, nil
	}
	return out, explainForeign(&out.Report, bound, e, files, p)
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

// listed is every packet of the families that are listed, of the states that the listing
// decides about.
func listed(p *ir.Program, e *eval.Evaluator, rules *foreign.Interpreter) (boxes []space.Box, notes []string, err error) {
	states := eval.States()
	if rules.IPVS() {
		states = []eval.State{eval.FirstPacket}
		notes = append(notes, "only the first packets of connections are compared: later ones follow tables of IPVS, which no listing has")
	}
	for _, f := range []ir.Family{ir.IPv4, ir.IPv6} {
		ipv6 := f == ir.IPv6
		if rules.Has(ipv6) {
			boxes = append(boxes, e.Space(ipv6, states...)...)
			continue
		}
		for i := range p.Frontends {
			if p.Frontends[i].Match.Family == f {
				return nil, nil, fmt.Errorf("there are Services of %v, and no rules of that family are given", f)
			}
		}
		notes = append(notes, fmt.Sprintf("%v is not compared: there are no Services and no rules of it", f))
	}
	return without(boxes, rules.Bound()), notes, nil
}

// explainForeign evaluates the packets of differences alone, with steps. The first ones, as
// many as is said, are of packets with their own source.
func explainForeign(r *Report, bound int, e *eval.Evaluator, files []foreign.File, p *ir.Program) error {
	rules, err := foreign.New(files, p.Node.Addresses, true)
	if err != nil {
		return err
	}
	for i := range r.Differences {
		d := &r.Differences[i]
		d.Want = e.Eval(d.Packet)
		does := rules.EvalAll
		if i >= bound {
			does = rules.EvalUnbound
		}
		if got, err := does(space.New(d.Packet.Box())); err == nil {
			d.Got = got
		}
	}
	return nil
}

// AgainstCertificate returns the certificate of a comparison with files of rules.
func AgainstCertificate(a *Against, p *ir.Program, files []string) Certificate {
	c := CertificateOf(&a.Report, p, "kube-proxy")
	c.Against, c.Meant, c.Notes = files, a.Meant, a.Notes
	c.Assumptions = []string{
		"the kernel reads the listing as the interpreter does",
		"packets come to these rules with no mark, and no other rules change them",
		"the node's addresses are those that the program knows, with the loopback addresses",
		"packets from elsewhere have no multicast and no loopback address as their source",
		"a client has no bound endpoint yet",
	}
	if a.IPVS {
		c.Assumptions = append(c.Assumptions, ipvsAssumptions()...)
	}
	return c
}

// WriteAgainst writes the certificate of a comparison for people.
func WriteAgainst(w io.Writer, c *Certificate) error {
	out := bufio.NewWriter(w)
	node, files := diag.Printable(c.Node), diag.Printable(strings.Join(c.Against, ", "))
	switch {
	case !c.Proved:
		fmt.Fprintf(out, "refuted: node %s, %s: the rules do something else for Services than planec's program\n", node, files)
	case len(c.Meant) > 0:
		fmt.Fprintf(out, "proved: node %s, %s: but for the documented differences below, the rules do with every packet what planec's program says of Services (%s sets of packets)\n", node, files, thousands(c.Boxes))
	default:
		fmt.Fprintf(out, "proved: node %s, %s: the rules do with every packet what planec's program says of Services (%s sets of packets)\n", node, files, thousands(c.Boxes))
	}
	for i := range c.Differences {
		writeExample(out, i+1, &c.Differences[i])
	}
	if c.More {
		fmt.Fprintf(out, "  There may be more: --most shows them.\n")
	}
	for _, m := range c.Meant {
		fmt.Fprintf(out, "  documented difference %q, %s sets of packets: %s\n", m.Class, thousands(m.Boxes), m.Text)
	}
	for _, n := range c.Notes {
		fmt.Fprintf(out, "  %s\n", diag.Printable(n))
	}
	return out.Flush()
}
