package compare

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/diffreport"
)

// note adds what the comparison could not see.
func (c *comparison) note(r *diffreport.Report) {
	if !hasPolicies(c.before.state) && !hasPolicies(c.after.state) {
		return
	}
	if len(c.before.pods)+len(c.after.pods) == 0 {
		r.Notes = append(r.Notes, "Neither state has Pods with addresses: what is said of pods is said of those that the policies may mean")
	}
	if !c.changes.ofPolicies() {
		return
	}
	for _, bound := range c.universe.bounds {
		r.AddUnknown("Not all pods were compared that the policies may mean: " + bound)
	}
	if names := c.unlabelled(); len(names) > 0 {
		const most = 3
		if more := len(names) - most; more > 1 {
			names = append(names[:most], fmt.Sprintf("%d more", more))
		}
		note := "Policies ask for labels of namespaces, and these have no Namespace object in the input, so their names are taken to be all: " + clusterwide.Join(names, "and")
		if len(r.Findings) == 0 {
			r.AddUnknown(note)
		} else {
			r.Notes = append(r.Notes, note)
		}
	}
}

// unlabelled returns the namespaces whose labels matter to policies and are unknown:
// the input has no object for them, and a policy selects by more than names.
func (c *comparison) unlabelled() []string {
	asked := false
	for _, x := range []*side{c.before, c.after} {
		for _, s := range x.state.Cluster.PolicyReach().Selectors {
			if s.Namespace != "" {
				continue
			}
			requirements, _ := s.Namespaces.Requirements()
			for _, r := range requirements {
				asked = asked || r.Key() != corev1.LabelMetadataName
			}
		}
	}
	if !asked {
		return nil
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(c.universe.standIns.namespaces)) {
		if n := c.universe.standIns.namespaces[name]; !n.object[0] && !n.object[1] {
			out = append(out, name)
		}
	}
	return out
}
