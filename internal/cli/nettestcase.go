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

// tested is the input of cases. If the network is a backend's, reference is the
// evaluator's, which knows the origin of rules.
type tested struct {
	*loaded
	reference *netpath.Network
	// ends are the pods; workloads maps the names of pods to their workloads.
	ends      []netpath.Pod
	workloads map[string]string
}

// maxConnections bounds the connections of one case: two workloads of a
// thousand pods make a million.
const maxConnections = 10_000

// answers traces every connection of a case.
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
				continue // two pods of one workload may be the same pod
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

// pods returns the pods of a "namespace/name" that names a workload and not a
// pod; anything else is returned unchanged.
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

// entryNodes returns the possible first nodes of a connection: one if it starts
// in the cluster or names a node, otherwise all.
func (l *tested) entryNodes(from, to, node string) []string {
	if node != "" || l.nodeName != "" {
		return []string{node}
	}
	src, err := l.end(from, false)
	dst, err2 := l.end(to, true)
	if err != nil || err2 != nil || src.pod || src.host || dst.node != "" || dst.pod || len(l.cluster.Nodes()) == 0 {
		return []string{""}
	}
	return l.cluster.Nodes()
}

// answer traces one connection. It looks up the reasons only for an unexpected
// result, because that reads files again.
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

// explain adds the reasons. A backend's output does not contain origins, so the
// evaluator traces the same connection.
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

// decided returns the steps that made the outcome: those of policies, or else
// the last one; and those that chose the source. Each has its place.
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
	// Steps that refuse come first, because they say more.
	slices.SortStableFunc(policies, func(a, b string) int {
		return strings.Count(b, ": denied") - strings.Count(a, ": denied")
	})
	return policies[:min(most, len(policies))], masquerade
}

// stepLine formats a step with its place; it names the object once.
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
