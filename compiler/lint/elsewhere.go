package lint

import (
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy"
)

// Elsewhere returns the workloads that may have pods which nobody can know:
// those that are scaled to nothing, and resources of kinds that an operator
// knows.
func Elsewhere(workloads []objects.Sourced[*objects.Workload]) []policy.Elsewhere {
	var out []policy.Elsewhere
	for _, w := range workloads {
		o := w.Object
		e := policy.Elsewhere{Namespace: o.Namespace, What: o.Kind + " " + o.Namespace + "/" + o.Name}
		switch {
		case o.Opaque:
			// Operators label pods as the resource is, and with its kind and name.
			all := labels.Set{}
			maps.Copy(all, o.Labels)
			all[strings.ToLower(o.Kind)] = o.Name
			e.Labels, e.What = all, e.What+", of whose pods planec knows nothing,"
		case o.Replicas != nil && *o.Replicas == 0:
			e.Labels, e.What = o.PodLabels, e.What+", which has 0 replicas,"
		default:
			continue
		}
		out = append(out, e)
	}
	return out
}
