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

func TestInFull(t *testing.T) {
	known := []string{"shop/web", "blog/web", "a/web", "b/web", "shop/catalog", "node/node-a"}
	for word, want := range map[string]string{
		"web": ": did you mean shop/web, blog/web or a/web?", "catalgo": ": did you mean shop/catalog?", "node-a": ": did you mean node/node-a?",
		"nothing": "", "": "",
	} {
		if got := suggest.InFull(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if got := suggest.InFull("web", nil); got != "" {
		t.Errorf("of no names: %q", got)
	}
}
