package diffreport_test

import (
	"testing"

	"github.com/planec/planec/internal/review/diffreport"
)

// TestSummaryOfTheUnknown holds that a headline never says that nothing changes where
// that is not known.
func TestSummaryOfTheUnknown(t *testing.T) {
	object, rule := []diffreport.Object{{}}, []diffreport.Rules{{}}
	opened := []diffreport.Finding{{Kind: diffreport.Opened}}
	for _, c := range []struct {
		report       diffreport.Report
		known, blind string
	}{
		{diffreport.Report{}, "no difference", "no difference in what can be compared"},
		{diffreport.Report{Objects: object}, "objects change, but nothing that the network does", "objects change; what that does to the network is not known"},
		{diffreport.Report{Rules: rule}, "only the rules differ", "rules differ; what else changes is not known"},
		{diffreport.Report{Objects: object, Findings: opened}, "1 opened", "1 opened"},
	} {
		if got := c.report.Summary(); got != c.known {
			t.Errorf("%q, want %q", got, c.known)
		}
		c.report.AddUnknown("some documents cannot be read")
		if got := c.report.Summary(); got != c.blind || len(c.report.Notes) != 1 {
			t.Errorf("%q, want %q", got, c.blind)
		}
	}
}
