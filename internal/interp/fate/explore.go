package fate

import (
	"fmt"
	"slices"

	"github.com/planec/planec/ir/eval"
)

// Draws are the random numbers of one path, in the order in which the packet
// reaches the rules that draw them.
type Draws struct {
	list []draw
	at   int
	// steps counts the rules of all paths.
	steps int
}

// maxSteps is the maximum number of rules that a packet may pass on all paths
// together: hostile rules can branch without limit.
const maxSteps = 1 << 24

// Step counts a rule, and reports whether the packet may continue.
func (d *Draws) Step() bool {
	d.steps++
	return d.steps <= maxSteps
}

type draw struct{ value, of uint32 }

// Random returns a number below n, which must not be 0. Over all paths, it returns
// every such number.
func (d *Draws) Random(n uint32) uint32 {
	if d.at == len(d.list) {
		d.list = append(d.list, draw{of: n})
	}
	d.at++
	return d.list[d.at-1].value
}

// next advances to the next path, by incrementing the last number that can still
// grow. It reports false after the last path.
func (d *Draws) next() bool {
	d.list = d.list[:d.at]
	d.at = 0
	for n := len(d.list) - 1; n >= 0; n-- {
		if d.list[n].value+1 < d.list[n].of {
			d.list[n].value++
			d.list = d.list[:n+1]
			return true
		}
	}
	return false
}

// maxWays is the maximum number of paths of a packet.
const maxWays = 1 << 16

// Explore runs a packet on every path and joins the results. Paths may differ only
// in the endpoint: a random verdict is an error. If a policy refuses the selected
// endpoint, the path ends with Drop or Reject and the endpoint in Denied; the
// joined verdict is DNAT if another endpoint is allowed.
func Explore(way func(*Draws) eval.Result) (eval.Result, error) {
	var out eval.Result
	var d Draws
	for n := range maxWays {
		r := way(&d)
		switch {
		case d.steps > maxSteps:
			return out, fmt.Errorf("more than %d rules", maxSteps)
		case n == 0:
			out = r
		case !alike(out, r) || out.Verdict == r.Verdict && out.Affinity != r.Affinity:
			return out, fmt.Errorf("the verdict is a matter of chance: %v or %v", out.Verdict, r.Verdict)
		default:
			out.Affinity = max(out.Affinity, r.Affinity)
			out.Logs = append(out.Logs, r.Logs...)
			out.Endpoints = append(out.Endpoints, r.Endpoints...)
			out.Denied = append(out.Denied, r.Denied...)
			if r.Verdict == eval.DNAT {
				out.Verdict = eval.DNAT
			}
		}
		if !d.next() {
			join(&out)
			return out, nil
		}
	}
	return out, fmt.Errorf("more than %d ways", maxWays)
}

// alike reports whether two paths may belong to one packet: if all endpoints are
// refused, all must be refused in the same way.
func alike(a, b eval.Result) bool {
	given := func(r eval.Result) bool { return r.Verdict == eval.DNAT || len(r.Denied) > 0 }
	return a.Verdict == b.Verdict || given(a) && given(b) && (a.Verdict == eval.DNAT || b.Verdict == eval.DNAT)
}

// join sorts the endpoints and removes duplicates.
func join(r *eval.Result) {
	r.Denied = unique(r.Denied)
	if r.Verdict != eval.DNAT {
		return
	}
	r.Endpoints = unique(r.Endpoints)
	r.Masquerade = !slices.ContainsFunc(r.Endpoints, func(c eval.Choice) bool { return !c.Masquerade })
}

func unique(list []eval.Choice) []eval.Choice {
	slices.SortFunc(list, func(a, b eval.Choice) int { return a.Address.Compare(b.Address) })
	kept := list[:0]
	for _, c := range list {
		if n := len(kept); n > 0 && kept[n-1].Address == c.Address {
			kept[n-1].Weight++
			continue
		}
		kept = append(kept, c)
	}
	return kept
}
