package engines

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/planec/planec/engines/random"
)

var (
	sets = flag.Int("sets", 200, "how many sets of policies are compared")
	seed = flag.Uint64("seed", 1, "the seed of the first set; the others follow it")
	most = flag.Int("most", 10, "how many sets that differ are shown")
)

// TestRandom compares planec with Cilium's engine on random clusters and policies.
func TestRandom(t *testing.T) {
	configure(t)
	verdicts, failed := 0, 0
	for i := range uint64(*sets) {
		s := random.New(*seed + i)
		n, different, err := compare(s)
		if err != nil {
			t.Fatal(err)
		}
		verdicts += n
		if len(different) == 0 {
			continue
		}
		if failed++; failed <= *most {
			t.Error(report(s, len(different)))
		}
	}
	t.Logf("seeds %d to %d: %d sets of policies, %d verdicts, %d sets differ", *seed, *seed+uint64(*sets)-1, *sets, verdicts, failed)
}

// report shrinks a set that differs, and says what is left of it.
func report(s *random.Set, before int) string {
	small := shrink(s)
	_, different, err := compare(small)
	if err != nil || len(different) == 0 {
		return fmt.Sprintf("seed %d: it differs in %d verdicts, and no longer: %v", s.Seed, before, err)
	}
	text, err := small.PolicyYAML()
	if err != nil {
		return err.Error()
	}
	var lines []string
	for _, d := range different[:min(3, len(different))] {
		lines = append(lines, d.String())
	}
	return fmt.Sprintf("seed %d: %d verdicts differ, %d after leaving out what is not needed:\n%s\n%s", s.Seed, before, len(different), strings.Join(lines, "\n"), text)
}
