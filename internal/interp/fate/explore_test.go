package fate_test

import (
	"net/netip"
	"testing"

	"github.com/planec/planec/internal/interp/fate"
	"github.com/planec/planec/ir/eval"
)

// TestExplore joins the paths of a packet with a draw among three endpoints and
// given results.
func TestExplore(t *testing.T) {
	for name, c := range map[string]struct {
		ways [3]eval.Verdict
		want eval.Verdict
		err  bool
	}{
		"all are given":                  {[3]eval.Verdict{eval.DNAT, eval.DNAT, eval.DNAT}, eval.DNAT, false},
		"some are refused":               {[3]eval.Verdict{eval.Drop, eval.DNAT, eval.Drop}, eval.DNAT, false},
		"all are refused":                {[3]eval.Verdict{eval.Reject, eval.Reject, eval.Reject}, eval.Reject, false},
		"all are refused in other ways":  {[3]eval.Verdict{eval.Drop, eval.Reject, eval.Drop}, 0, true},
		"some are not given an endpoint": {[3]eval.Verdict{eval.DNAT, eval.Pass, eval.DNAT}, 0, true},
	} {
		got, err := fate.Explore(func(d *fate.Draws) eval.Result {
			n := d.Random(3)
			r := eval.Result{Verdict: c.ways[n]}
			choice := []eval.Choice{{Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), 80), Weight: 1}}
			switch r.Verdict {
			case eval.DNAT:
				r.Endpoints = choice
			case eval.Drop, eval.Reject:
				r.Denied = choice
			}
			return r
		})
		if (err != nil) != c.err || err == nil && (got.Verdict != c.want || len(got.Endpoints)+len(got.Denied) != 3) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
