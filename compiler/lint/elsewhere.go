package lint

import (
	"maps"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy"
)

// Elsewhere returns the objects that may have pods outside of the set: workloads
// scaled to zero, custom resources whose operator makes pods, and workloads whose
// controllers add labels that only a cluster knows. The set must contain the pods of
// the workloads.
func Elsewhere(set *objects.Set, workloads []objects.Sourced[*objects.Workload]) *policy.Elsewhere {
	keys := make(map[string]bool)
	for _, p := range set.Pods {
		addKeys(keys, p.Object.Labels)
	}
	for _, w := range workloads {
		if !w.Object.Opaque {
			addKeys(keys, w.Object.PodLabels)
		}
	}
	var resources []policy.Resource
	var groups []string
	seen := make(map[string]bool)
	for _, w := range workloads {
		o := w.Object
		if group := operatorGroup(o); group != "" && !seen[group] {
			seen[group] = true
			groups = append(groups, append(furtherDomains[group], group)...)
		}
		resources = append(resources, resourcesOf(o, keys)...)
	}
	return policy.NewElsewhere(resources, groups, keys)
}

func addKeys(keys map[string]bool, of map[string]string) {
	for k := range of {
		keys[k] = true
	}
}

// resourcesOf returns the unknown pods that a workload may have.
func resourcesOf(o *objects.Workload, keys map[string]bool) []policy.Resource {
	r := policy.Resource{Namespace: o.Namespace, What: o.Kind + " " + o.Namespace + "/" + o.Name}
	switch {
	case o.Opaque && (isDefinition(o) || withoutPods(o.Group, o.Kind)):
		return nil
	case o.Opaque:
		r.What += ", of whose pods planec knows nothing,"
		return customResources(o, r)
	}
	r.Labels, r.Open = labels.Set{}, openLabels(o, keys)
	maps.Copy(r.Labels, o.PodLabels)
	if o.Kind == "Job" && !o.ManualSelector {
		r.Labels["job-name"], r.Labels[batchv1.JobNameLabel] = o.Name, o.Name
	}
	if o.Replicas != nil && *o.Replicas == 0 {
		r.What += ", which has 0 replicas,"
		return []policy.Resource{r}
	}
	if len(r.Open) == 0 || o.Spec.HostNetwork {
		return nil
	}
	r.OpenOnly = true
	return []policy.Resource{r}
}

// openLabels returns the labels that the workload's controller adds with values
// that the manifests do not tell (kubernetes.io: Well-Known Labels, Annotations and
// Taints). If pods of the input have such a label, its values are known.
func openLabels(o *objects.Workload, keys map[string]bool) map[string]int {
	out := make(map[string]int)
	add := func(all ...string) {
		for _, k := range all {
			if _, own := o.PodLabels[k]; !own && !keys[k] {
				out[k] = 0
			}
		}
	}
	switch o.Kind {
	case "Deployment":
		add(appsv1.DefaultDeploymentUniqueLabelKey)
	case "StatefulSet":
		add(appsv1.ControllerRevisionHashLabelKey)
	case "DaemonSet":
		add(appsv1.ControllerRevisionHashLabelKey, "pod-template-generation")
	case "CronJob":
		// The names of its Jobs contain their scheduled minute.
		if !o.ManualSelector {
			for _, k := range []string{"job-name", batchv1.JobNameLabel} {
				out[k] = 0
			}
		}
		fallthrough
	case "Job":
		if !o.ManualSelector {
			add("controller-uid", batchv1.ControllerUidLabel)
		}
		if o.Indexes > 0 {
			out[batchv1.JobCompletionIndexAnnotation] = int(o.Indexes)
		}
	}
	return out
}

// customResources returns r with the possible labels of a custom resource's pods:
// those of its template, or else the resource's own with its kind and name, because
// operators copy both; and the labels that the operators of known kinds add.
func customResources(o *objects.Workload, r policy.Resource) []policy.Resource {
	base := labels.Set{strings.ToLower(o.Kind): o.Name}
	if len(o.PodLabels) == 0 {
		maps.Copy(base, o.Labels)
	}
	maps.Copy(base, o.PodLabels)
	roles := operatorLabels[groupKind{o.Group, o.Kind}]
	if len(roles) == 0 {
		roles = []knownLabels{{}}
	}
	var out []policy.Resource
	for _, role := range roles {
		one := r
		one.Labels, one.Open = maps.Clone(base), make(map[string]int)
		for k, v := range role.labels {
			one.Labels[k] = strings.NewReplacer("NAMESPACE", o.Namespace, "NAME", o.Name).Replace(v)
		}
		for k := range strings.FieldsSeq(role.open) {
			one.Open[k] = 0
		}
		out = append(out, one)
	}
	return out
}

// operatorGroup is the API group whose operator may label pods because of an object, or
// "".
func operatorGroup(o *objects.Workload) string {
	switch {
	case !o.Opaque:
		return ""
	case isDefinition(o):
		plural, group, _ := strings.Cut(o.Name, ".")
		if withoutPods(group, singular(plural)) {
			return ""
		}
		return group
	case withoutPods(o.Group, o.Kind):
		return ""
	}
	return o.Group
}

func isDefinition(o *objects.Workload) bool { return o.Kind == "CustomResourceDefinition" }

// singular reverts the regular plurals in names of definitions.
func singular(plural string) string {
	for _, p := range [][2]string{{"ies", "y"}, {"sses", "ss"}, {"s", ""}} {
		if stem, ok := strings.CutSuffix(plural, p[0]); ok {
			return stem + p[1]
		}
	}
	return plural
}
