package nettest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Check compares the answers for a case's connections with the expectation.
// It drops failures with equal text.
func Check(c *Case, answers []Answer) Result {
	r := Result{Case: c, Connections: len(answers)}
	for i := range answers {
		a := &answers[i]
		text, aboutSource := c.Expect.against(a)
		if text == "" {
			continue
		}
		f := Failure{Text: fmt.Sprintf("%s to %s%s: %s", a.From, a.To, onNode(a.Node), text), Decided: a.Decided}
		if aboutSource {
			f.Decided = a.Masqueraded
		}
		if !slices.ContainsFunc(r.Failures, func(have Failure) bool { return have.Text == f.Text }) {
			r.Failures = append(r.Failures, f)
		}
	}
	return r
}

func onNode(name string) string {
	if name == "" {
		return ""
	}
	return " by way of " + name
}

// Met reports whether an answer meets the expectation.
func (e *Expectation) Met(a *Answer) bool {
	text, _ := e.against(a)
	return text == ""
}

// against describes how an answer differs from the expectation, or returns "",
// and whether the source differs.
func (e *Expectation) against(a *Answer) (text string, aboutSource bool) {
	if e.Verdict != "" && !e.Verdict.matches(a.Verdict) {
		return fmt.Sprintf("expected %s, but %s", e.Verdict, a.happens()), false
	}
	if e.HasEndpoints {
		if text := e.compareEndpoints(a); text != "" {
			return text, false
		}
	}
	if e.SourcePreserved == nil {
		return "", false
	}
	switch want := *e.SourcePreserved; {
	case !a.Preserved && !a.Hidden:
		return "expected it to arrive, but " + a.happens(), false
	case want && a.Hidden:
		return "expected the receiver to see the sender's own address, but it sees a node's", true
	case !want && a.Preserved:
		return "expected the receiver to see a node's address, but it sees the sender's own", true
	}
	return "", false
}

func (v Verdict) matches(got Verdict) bool {
	return v == got || v == Deny && (got == Drop || got == Reject)
}

// happens describes the result of the connection as a clause.
func (a *Answer) happens() string {
	switch a.Verdict {
	case Allow:
		if len(a.Endpoints) > 0 {
			return "it is given to " + list(a.Endpoints)
		}
		return "it arrives"
	case Mixed:
		return fmt.Sprintf("it may be given to %s, where it arrives, and to %s, where it is refused", list(a.Endpoints), list(a.Denied))
	case Reject:
		return "it is rejected"
	}
	return "it is dropped"
}

func list(endpoints []Endpoint) string {
	const most = 6
	var names []string
	for i, e := range endpoints {
		if i == most {
			names = append(names, fmt.Sprintf("%d more", len(endpoints)-most))
			break
		}
		names = append(names, e.String())
	}
	return strings.Join(names, ", ")
}

// String formats the pod with its address, or the address.
func (e Endpoint) String() string {
	if e.Pod == "" {
		return e.Address
	}
	return e.Pod + " (" + e.Address + ")"
}

func (e *Expectation) compareEndpoints(a *Answer) string {
	var missing []string
	for _, want := range e.Endpoints {
		if !slices.ContainsFunc(a.Endpoints, func(x Endpoint) bool { return x.is(want) }) {
			missing = append(missing, want)
		}
	}
	var extra []Endpoint
	for _, x := range a.Endpoints {
		if !slices.ContainsFunc(e.Endpoints, x.is) {
			extra = append(extra, x)
		}
	}
	switch {
	case len(missing) > 0 && len(a.Endpoints) == 0:
		return fmt.Sprintf("expected the endpoints %s, but %s", strings.Join(missing, ", "), a.happens())
	case len(missing) > 0 && len(extra) > 0:
		return fmt.Sprintf("expected the endpoint %s, which it never gets, but not %s", strings.Join(missing, ", "), list(extra))
	case len(missing) > 0:
		return "expected the endpoint " + strings.Join(missing, ", ") + ", which it never gets"
	case len(extra) > 0:
		return "may be given to " + list(extra) + " too, which is not expected"
	}
	return ""
}

// is reports whether an endpoint is the pod, the workload or the address that
// a case names.
func (e Endpoint) is(what string) bool {
	if what == e.Address || what == e.Pod || what == e.Workload {
		return true
	}
	own, err := netip.ParseAddrPort(e.Address)
	given, err2 := netip.ParseAddr(what)
	return err == nil && err2 == nil && own.Addr() == given
}
