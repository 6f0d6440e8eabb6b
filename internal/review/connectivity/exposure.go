package connectivity

import (
	"github.com/planec/planec/internal/review/compare"
	"github.com/planec/planec/ir"
)

// Exposure is what is open though no pod of the input needs it.
type Exposure struct {
	// Unprotected are the ends that no policy selects in some direction, in the order of
	// the ends.
	Unprotected []Unprotected
	// Open are the directions that policies limit, but leave open to the whole cluster, to
	// pods that the input lacks, or to outside; sorted by workload.
	Open []compare.Exposure
	// Bounds are sentences about what was not examined.
	Bounds []string
}

// Unprotected is an end that no policy selects.
type Unprotected struct {
	End        *End
	Directions []ir.Direction // without a policy, at least one
}

// Expose returns the exposure of the workloads that a filter names; of all without one.
func (m *Map) Expose(state *compare.State, f Filter) *Exposure {
	out := &Exposure{}
	for _, e := range m.Ends {
		if !f.wants(e.Namespace, e.Name) {
			continue
		}
		u := Unprotected{End: e}
		for _, d := range []ir.Direction{ir.Ingress, ir.Egress} {
			if !e.Selected[d] {
				u.Directions = append(u.Directions, d)
			}
		}
		if len(u.Directions) > 0 {
			out.Unprotected = append(out.Unprotected, u)
		}
	}
	list, bounds := compare.Exposures(state)
	for _, x := range list {
		if f.wants(x.Namespace, x.Name) {
			out.Open = append(out.Open, x)
		}
	}
	out.Bounds = bounds
	return out
}
