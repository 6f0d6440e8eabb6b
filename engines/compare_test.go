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
	auth = flag.Int("authentication", random.Authentication, "one rule in so many says something about authentication")
	asIs = flag.Bool("whole", false, "show sets that differ as they are, and leave nothing out")
)

// TestRandom compares planec with Cilium's engine on random clusters and policies.
func TestRandom(t *testing.T) {
	configure(t)
	verdicts, failed, unanswered, unsure, reasons := 0, 0, 0, 0, 0
	for i := range uint64(*sets) {
		s := random.New(*seed+i, *auth)
		c, err := compare(s)
		if err != nil {
			// Cilium refuses rules that contradict each other, as in authentication.
			t.Log(err)
			unanswered++
			continue
		}
		verdicts, unsure, reasons = verdicts+c.verdicts, unsure+c.unsure, reasons+c.reasons
		if len(c.different) == 0 {
			continue
		}
		if failed++; failed <= *most {
			t.Error(report(s, len(c.different)))
		}
	}
	t.Logf("to %d of these connections the engine gives two answers, and planec's is one of them", unsure)
	t.Logf("%d of these connections both deny, for another reason: rules about authentication", reasons)
	t.Logf("seeds %d to %d: %d sets of policies, %d verdicts, %d sets differ, %d without an answer", *seed, *seed+uint64(*sets)-1, *sets, verdicts, failed, unanswered)
	if unanswered*100 > *sets {
		t.Errorf("%d sets without an answer, want one in a hundred at most", unanswered)
	}
}

// report shrinks a set that differs, and says what is left of it.
func report(s *random.Set, before int) string {
	small := s
	if !*asIs {
		small = shrink(s)
	}
	c, err := compare(small)
	different := c.different
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
