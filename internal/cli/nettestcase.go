package cli

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/internal/review/nettest"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
)

// tested is what cases are about. Where the network is a backend's, reference is
// that of the evaluator, which knows where things are written.
type tested struct {
	*loaded
	reference *netpath.Network
	// ends are the pods, and workloads those that they are of, by name.
	ends      []netpath.Pod
	workloads map[string]string
}

// maxConnections bounds those of one case: a workload of a thousand pods asked
// about another one is a million.
const maxConnections = 10_000

// answers follows every connection that a case is about.
func (l *tested) answers(c *nettest.Case) ([]nettest.Answer, diag.List, error) {
	if err := l.hasNode(c.Node); err != nil {
		return nil, nil, err
	}
	froms, tos := l.pods(c.From), l.pods(c.To)
	var out []nettest.Answer
	var diags diag.List
	for _, from := range froms {
		for _, to := range tos {
			if from == to && len(froms)*len(tos) > 1 {
				continue // a pod to itself, of a workload to its own
			}
			for _, node := range l.entryNodes(from, to, c.Node) {
				if len(out) == maxConnections {
					return nil, nil, inputError(fmt.Errorf("more than %d connections", maxConnections))
				}
				a, hops, err := l.answer(c, from, to, node)
				if err != nil {
					return nil, nil, err
				}
				out, diags = append(out, a), append(diags, l.nodeDiagnostics(hops)...)
			}
		}
	}
	return out, diags, nil
}

// pods returns the pods that "namespace/name" means where name is no pod but a
// workload; anything else stays as it is.
func (l *tested) pods(word string) []string {
	namespace, name, ok := strings.Cut(word, "/")
	if !ok || namespace == "svc" || namespace == "node" {
		return []string{word}
	}
	var of []string
	for _, p := range l.ends {
		switch {
		case p.Namespace != namespace:
		case p.Name == name:
			return []string{word}
		case p.Workload == name:
			of = append(of, p.String())
		}
	}
	if len(of) == 0 {
		return []string{word}
	}
	return of
}

// entryNodes are the nodes that a connection may meet first: one where it comes
// from the cluster or a node is named, otherwise all.
func (l *tested) entryNodes(from, to, node string) []string {
	if node != "" || l.nodeName != "" {
		return []string{node}
	}
	src, err := l.end(from)
	dst, err2 := l.end(to)
	if err != nil || err2 != nil || src.pod || src.host || dst.node != "" || dst.pod || len(l.cluster.Nodes()) == 0 {
		return []string{""}
	}
	return l.cluster.Nodes()
}

// answer follows one connection. Why it is as it is, is looked up where that is not
// as expected: it means reading files again.
func (l *tested) answer(c *nettest.Case, from, to, node string) (nettest.Answer, []netpath.Hop, error) {
	at := *l.loaded
	if node != "" {
		at.nodeName = node
	}
	connection, err := at.resolve(from, to, c.Port)
	if err != nil {
		return nettest.Answer{}, nil, inputError(err)
	}
	o, err := l.network.Trace(connection)
	if err != nil {
		return nettest.Answer{}, nil, systemError(err)
	}
	a := nettest.Answer{From: from, To: to, Verdict: verdictOf(&o), Endpoints: l.endpoints(o.Endpoints), Denied: l.endpoints(o.Denied)}
	if src := l.network.Owner(connection.Src); !src.Pod && !src.Host {
		a.Node = connection.Node
	}
	switch o.Verdict {
	case eval.Pass:
		a.Preserved, a.Hidden = !o.Masquerade, o.Masquerade
	case eval.DNAT:
		for _, e := range o.Endpoints {
			if !e.Hairpin || len(o.Endpoints) == 1 {
				a.Preserved, a.Hidden = a.Preserved || !e.Masquerade, a.Hidden || e.Masquerade
			}
		}
	}
	if !c.Expect.Met(&a) {
		a.Decided, a.Masqueraded, err = l.explain(connection, &o, a.Verdict)
	}
	return a, o.Hops, err
}

// explain says why. What a backend emitted does not know where it is from, so the
// evaluator is asked beside it.
func (l *tested) explain(c netpath.Connection, o *netpath.Outcome, verdict nettest.Verdict) (decision, masquerade []string, err error) {
	if l.reference == nil {
		l.locate(o.Hops)
		decision, masquerade = decided(o)
		return decision, masquerade, nil
	}
	reference, err := l.reference.Trace(c)
	if err != nil {
		return nil, nil, systemError(err)
	}
	l.locate(reference.Hops)
	decision, masquerade = decided(&reference)
	if says := verdictOf(&reference); says != verdict {
		decision = append([]string{fmt.Sprintf("the rules do not do what they were made for, which is %s: please report it", says)}, decision...)
	}
	hop := &o.Hops[len(o.Hops)-1].Result
	if n := len(hop.Steps); n > 0 {
		last := hop.Steps[n-1]
		decision = append(decision, strings.TrimSpace("the rule: "+last.Stage+" "+last.Text))
	}
	return decision, masquerade, nil
}

func verdictOf(o *netpath.Outcome) nettest.Verdict {
	switch {
	case o.Reaches():
		return nettest.Allow
	case len(o.Endpoints) > 0:
		return nettest.Mixed
	case o.Verdict == eval.Reject:
		return nettest.Reject
	}
	return nettest.Drop
}

func (l *tested) endpoints(list []eval.Choice) []nettest.Endpoint {
	var out []nettest.Endpoint
	seen := make(map[netip.AddrPort]bool)
	for _, c := range list {
		if seen[c.Address] {
			continue
		}
		seen[c.Address] = true
		e := nettest.Endpoint{Address: c.Address.String()}
		if p := l.network.Owner(c.Address.Addr()); p.Pod {
			e.Pod = p.Namespace + "/" + p.Name
			e.Workload = l.workloads[e.Pod]
		}
		out = append(out, e)
	}
	return out
}

// decided are the steps that made the outcome: what policies said, or else the
// last that was done; and those that chose the source. Each has where it is
// written.
func decided(o *netpath.Outcome) (decision, masquerade []string) {
	const most = 4
	var policies, last []string
	for _, h := range o.Hops {
		for _, s := range h.Result.Steps {
			line := stepLine(s)
			switch s.Stage {
			case "ingress", "egress":
				policies = append(policies, line)
			case "masquerade", "hairpin":
				masquerade = append(masquerade, line)
			case "affinity", "route":
			case "pass":
				if len(last) == 0 {
					last = []string{line}
				}
			default:
				last = []string{line}
			}
		}
	}
	if len(policies) == 0 {
		if o.Reaches() {
			last = append([]string{"no policy limits either end"}, last...)
		}
		return last, masquerade
	}
	// Those that refuse say more than those that do not.
	slices.SortStableFunc(policies, func(a, b string) int {
		return strings.Count(b, ": denied") - strings.Count(a, ": denied")
	})
	return policies[:min(most, len(policies))], masquerade
}

// stepLine is a step with where it is written; the object is named once.
func stepLine(s eval.Step) string {
	if name := s.Origin.Object(); name != "" && strings.Contains(s.Text, name) {
		if pos := s.Origin.Position(); pos != "" {
			return s.Text + " (" + pos + ")"
		}
		return s.Text
	}
	if where := originLine(s.Origin); where != "" {
		return s.Text + ": " + where
	}
	return s.Text
}
