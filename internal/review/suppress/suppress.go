package suppress

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/ir/diag"
)

// Rules say which findings are left out. The zero value leaves out none.
type Rules struct {
	// Annotations are those of the objects.
	Annotations Annotations
	// Codes are left out wherever they are found.
	Codes []diag.Code
	// Baseline has the findings that were accepted; nil is none.
	Baseline *Baseline
}

// Ignored counts what was left out, by the first rule that did it, in this order.
type Ignored struct{ Annotation, Code, Baseline int }

// String is "3 ignored: 1 by annotation, 2 by baseline", or "" for none.
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

// Apply returns the findings that are left, in their order, and what was left out of
// them. It uses the entries of the baseline up: [Baseline.Stale] then says which are left.
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
