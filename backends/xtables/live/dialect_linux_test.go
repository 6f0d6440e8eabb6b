package live

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/iptables"
	"github.com/planec/planec/internal/testing/irtest"
	text "github.com/planec/planec/internal/text/iptables"
)

// TestDialects loads random policies with all that rules can say. A kernel that has them
// is unchanged, whichever names of protocols iptables-save prints, and what it prints is
// otherwise what was loaded.
func TestDialects(t *testing.T) {
	for _, variant := range []string{"legacy", "nft"} {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			r, tools := node(t, variant)
			for seed := range uint64(12) {
				rng := rand.New(rand.NewPCG(seed, 13))
				p := irtest.RandomProgram(rng)
				irtest.AddRandomDialects(rng, p)
				a, err := iptables.New(backends.DefaultOptions()).Emit(p)
				if err != nil {
					t.Fatal(err)
				}
				err = r.Do(func() error {
					_, err := change(t.Context(), tools, a)
					return err
				})
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				for _, c := range []string{"iptables", "ip6tables"} {
					saved, err := r.Run("", c+"-"+variant+"-save")
					if err != nil {
						t.Fatal(err)
					}
					wantSaved(t, string(a.File(c+".rules")), saved)
				}
			}
		})
	}
}

// wantSaved wants each emitted rule among the saved ones, in planec's notation.
func wantSaved(t *testing.T, emitted, saved string) {
	t.Helper()
	have := make(map[string]bool)
	for line := range strings.Lines(saved) {
		have[text.NumericProtocol(strings.TrimRight(line, " \n"))] = true
	}
	rules := 0
	for line := range strings.Lines(emitted) {
		if line = strings.TrimRight(line, "\n"); strings.HasPrefix(line, "-A ") {
			rules++
			if !have[line] {
				t.Errorf("not saved as it was loaded: %s", line)
			}
		}
	}
	if rules == 0 {
		t.Error("no rules")
	}
}
