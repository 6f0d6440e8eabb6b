package testkit

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir/eval"
)

// Compare returns how an outcome differs from the evaluator's result, or nil.
// nodeAddrs are the possible source addresses of a masqueraded packet.
func Compare(f Flow, want eval.Result, got Outcome, nodeAddrs []netip.Addr) error {
	switch want.Verdict {
	case eval.Drop:
		return wantFate(TimedOut, want, got)
	case eval.Reject:
		if !f.mayBeRefused() && got.Fate == TimedOut {
			return nil
		}
		return wantFate(Refused, want, got)
	}
	if len(want.Denied) > 0 && got.Fate != Answered {
		return nil // a policy denies the selected endpoint
	}
	if err := wantFate(Answered, want, got); err != nil {
		return err
	}
	if want.Verdict == eval.Pass {
		if got.Endpoint != f.Destination() {
			return fmt.Errorf("want pass to %v, got %v", f.Destination(), got)
		}
		return wantSource(f, want.Masquerade, got, nodeAddrs)
	}
	i := slices.IndexFunc(want.Endpoints, func(c eval.Choice) bool { return c.Address == got.Endpoint })
	if i < 0 {
		return fmt.Errorf("want dnat to one of %v, got %v", addresses(want.Endpoints), got)
	}
	return wantSource(f, want.Endpoints[i].Masquerade, got, nodeAddrs)
}

func wantFate(fate Fate, want eval.Result, got Outcome) error {
	if got.Fate == fate {
		return nil
	}
	return fmt.Errorf("want %v (%v), got %v", want.Verdict, fate, got)
}

func wantSource(f Flow, masquerade bool, got Outcome, nodeAddrs []netip.Addr) error {
	switch {
	case f.Untracked():
		return nil // what conntrack does not know keeps its source
	case masquerade && !slices.Contains(nodeAddrs, got.Source):
		return fmt.Errorf("want the source masqueraded to one of %v, got %v", nodeAddrs, got)
	case !masquerade && got.Source != f.Src:
		return fmt.Errorf("want the source to stay %v, got %v", f.Src, got)
	}
	return nil
}

func addresses(choices []eval.Choice) []netip.AddrPort {
	out := make([]netip.AddrPort, len(choices))
	for i, c := range choices {
		out[i] = c.Address
	}
	return out
}
