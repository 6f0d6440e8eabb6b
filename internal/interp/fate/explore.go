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

// draw is one random number and what it is drawn from; with parts, value has that
// part of the draws.
type draw struct {
	value, of uint32
	parts     []float64
}

// share is the part of the draws that have the value.
func (d *draw) share() float64 {
	if d.parts != nil {
		return d.parts[d.value]
	}
	return 1 / float64(d.of)
}

// Random returns a number below n, which must not be 0. Over all paths, it returns
// every such number.
func (d *Draws) Random(n uint32) uint32 {
	if d.at == len(d.list) {
		d.list = append(d.list, draw{of: n})
	}
	d.at++
	return d.list[d.at-1].value
}

// Drawn reports whether a number was drawn.
func (d *Draws) Drawn() bool { return d.at > 0 }

// Weighted returns an index of the parts, whose sum is 1. Over all paths, it returns every
// index.
func (d *Draws) Weighted(parts []float64) uint32 {
	n := d.Random(uint32(len(parts)))
	d.list[d.at-1].parts = parts
	return n
}

// share is the part of all packets that take the path.
func (d *Draws) share() float64 {
	share := 1.0
	for i := range d.list[:d.at] {
		share *= d.list[i].share()
	}
	return share
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
		for _, list := range [][]eval.Choice{r.Endpoints, r.Denied} {
			for i := range list {
				list[i].Share = d.share()
			}
		}
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
			kept[n-1].Share += c.Share
			continue
		}
		kept = append(kept, c)
	}
	return kept
}
