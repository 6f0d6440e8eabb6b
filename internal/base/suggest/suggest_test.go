package suggest_test

import (
	"testing"

	"github.com/planec/planec/internal/base/suggest"
)

func TestDidYouMean(t *testing.T) {
	known := []string{"nftables", "iptables", "ipvs", "ebpf"}
	for word, want := range map[string]string{
		"nftable": ": did you mean nftables?", "IPVS": ": did you mean ipvs?", "iptabels": ": did you mean iptables?",
		"epbf": ": did you mean ebpf?", "ebfp": ": did you mean ebpf?", "nginx": "", "": "", "fpbe": "",
	} {
		if got := suggest.DidYouMean(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
