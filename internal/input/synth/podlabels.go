package synth

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"

	"github.com/planec/planec/compiler/objects"
)

// labelOldJobName is the label before Kubernetes 1.27, which pods still have.
const labelOldJobName = "job-name"

// controllerLabels adds the labels that a workload's controller gives to its i-th
// pod, as far as manifests tell. Hashes and UIDs differ per cluster; compiler/lint
// knows their keys.
func controllerLabels(of map[string]string, w *objects.Workload, name string, i int) {
	switch w.Kind {
	case "StatefulSet":
		of[appsv1.StatefulSetPodNameLabel] = name
		of[appsv1.PodIndexLabel] = strconv.Itoa(int(w.FirstOrdinal) + i)
	case "Job":
		if !w.ManualSelector {
			of[labelOldJobName], of[batchv1.JobNameLabel] = w.Name, w.Name
		}
		fallthrough
	case "CronJob":
		if w.Indexes > 0 {
			of[batchv1.JobCompletionIndexAnnotation] = strconv.Itoa(i)
		}
	}
}
