package suppress

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/ir/diag"
)

// Rules select the findings to leave out. The zero value leaves out none.
type Rules struct {
	// Annotations are the objects' annotations.
	Annotations Annotations
	// Codes are left out everywhere.
	Codes []diag.Code
	// Baseline holds the accepted findings; nil is none.
	Baseline *Baseline
}

// Ignored counts suppressed findings by the first rule that matched, in this order.
type Ignored struct{ Annotation, Code, Baseline int }

// String returns "3 ignored: 1 by annotation, 2 by baseline", or "" for none.
func (i Ignored) String() string {
	var parts []string
	for _, p := range []struct {
		n  int
		by string
	}{{i.Annotation, "annotation"}, {i.Code, "--ignore"}, {i.Baseline, "baseline"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d by %s", p.n, p.by))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("%d ignored: %s", i.Annotation+i.Code+i.Baseline, strings.Join(parts, ", "))
}

// Apply returns the remaining findings, in their order, and counts the suppressed ones. It
// uses up entries of the baseline; [Baseline.Stale] then returns the unused ones.
func (r *Rules) Apply(diags diag.List) (left diag.List, ignored Ignored) {
	for _, d := range diags {
		switch {
		case r.Annotations.ignore(d):
			ignored.Annotation++
		case slices.Contains(r.Codes, d.Code):
			ignored.Code++
		case r.Baseline.take(d):
			ignored.Baseline++
		default:
			left = append(left, d)
		}
	}
	return left, ignored
}
