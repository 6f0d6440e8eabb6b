package proof

import (
	"fmt"
	"math"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// outcomes compares results.
type outcomes struct {
	// approximates reports that the backend keeps another affinity for the frontend of a
	// result.
	approximates func(*eval.Result) bool
	// logsOtherwise reports that it logs otherwise; both may be nil.
	logsOtherwise func(*eval.Result) bool
	// shares says that the part of each endpoint is compared too.
	shares bool
}

// same returns what differs, or "".
func (o *outcomes) same(want, got *eval.Result, p *space.Packets) string {
	w, g := reached(want.Endpoints), reached(got.Endpoints)
	if want.Verdict != got.Verdict || !slices.EqualFunc(w, g, func(a, b eval.Choice) bool { return a.Address == b.Address }) {
		return "another verdict, or other endpoints"
	}
	if wd, gd := reached(want.Denied), reached(got.Denied); !slices.EqualFunc(wd, gd, func(a, b eval.Choice) bool { return a.Address == b.Address }) {
		return fmt.Sprintf("policies deny %v instead of %v", addresses(gd), addresses(wd))
	}
	if want.Masquerade != got.Masquerade {
		return fmt.Sprintf("masquerade %v instead of %v", got.Masquerade, want.Masquerade)
	}
	for i := range w {
		if w[i].Masquerade != g[i].Masquerade {
			return fmt.Sprintf("endpoint %v: masquerade %v instead of %v", w[i].Address, g[i].Masquerade, w[i].Masquerade)
		}
	}
	if want.Affinity != got.Affinity && want.Verdict == eval.DNAT && (o.approximates == nil || !o.approximates(want)) {
		return fmt.Sprintf("an affinity of %d s instead of %d s", got.Affinity, want.Affinity)
	}
	if o.shares && want.Verdict == eval.DNAT { // where all are refused, none has a share
		if reason := differentShares(want, got); reason != "" {
			return reason
		}
	}
	if o.logsOtherwise != nil && o.logsOtherwise(want) {
		return ""
	}
	return differentLogs(want, got, p)
}

// differentLogs compares what is logged. Rules may log a segment of no known connection
// before those of the other direction refuse it.
func differentLogs(want, got *eval.Result, p *space.Packets) string {
	if len(want.Logs) == 0 && len(got.Logs) == 0 || p.Is(space.Midstream, space.N(1)) {
		return ""
	}
	if w, g := distinct(want.Logs), distinct(got.Logs); !slices.Equal(w, g) {
		return fmt.Sprintf("logged with %q instead of %q", g, w)
	}
	return ""
}

// tolerance is how far the share of an endpoint may be from what the program says: a
// kernel counts in steps of 1/2^31 for each rule that draws (xt_statistic), and
// in 65,536 slots at least.
const tolerance = 1.0 / (1 << 16)

func differentShares(want, got *eval.Result) string {
	w, g := shares(want), shares(got)
	for a, share := range w {
		if math.Abs(share-g[a]) > tolerance {
			return fmt.Sprintf("endpoint %v gets %.4f of the connections instead of %.4f", a, g[a], share)
		}
	}
	return ""
}

// shares returns what part of connections each endpoint is drawn for, denied ones too.
func shares(r *eval.Result) map[netip.AddrPort]float64 {
	out := make(map[netip.AddrPort]float64)
	total := 0.0
	for _, list := range [][]eval.Choice{r.Endpoints, r.Denied} {
		for _, c := range list {
			share := c.Share
			if share == 0 {
				share = float64(c.Weight)
			}
			out[c.Address] += share
			total += share
		}
	}
	for a := range out {
		out[a] /= total
	}
	return out
}

// reached returns the endpoints by address, each once.
func reached(list []eval.Choice) []eval.Choice {
	byAddress := func(a, b eval.Choice) int { return a.Address.Compare(b.Address) }
	if !slices.IsSortedFunc(list, byAddress) {
		list = slices.SortedFunc(slices.Values(list), byAddress)
	}
	return slices.CompactFunc(list, func(a, b eval.Choice) bool { return a.Address == b.Address })
}

func addresses(list []eval.Choice) []netip.AddrPort {
	out := make([]netip.AddrPort, len(list))
	for i, c := range list {
		out[i] = c.Address
	}
	return out
}

func distinct(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
