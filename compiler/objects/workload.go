package objects

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Workload is an object that a controller makes pods of: what repositories hold
// where a cluster has Pods. The compiler does not read workloads; internal/input/synth
// makes the pods.
type Workload struct {
	metav1.ObjectMeta
	// Kind is Deployment, StatefulSet, DaemonSet, ReplicaSet,
	// ReplicationController, Job, CronJob, or a kind that planec does not know.
	Kind string
	// Group is the API group of the kind, "" for the core group.
	Group string
	// Opaque is set for an object of a kind that planec does not know. It may be
	// that an operator makes pods of it, with labels like its own.
	Opaque bool
	// Owner is "Kind/name" of the object that controls this one, or "".
	Owner string
	// Replicas is how many pods there are to be; nil is the default.
	Replicas *int32
	// Selector finds its pods; nil means by the labels of the template.
	Selector *metav1.LabelSelector
	// FirstOrdinal is the number of a StatefulSet's first pod.
	FirstOrdinal int32
	// Indexes is how many completions an Indexed Job has; 0 for all others.
	Indexes int32
	// ManualSelector is set for a Job (or the Jobs of a CronJob) whose pods get no
	// labels from the Job controller.
	ManualSelector bool
	// PodLabels are those of the template; of an Opaque object, those of its
	// spec.template, if it has one.
	PodLabels map[string]string
	// Spec has what is kept of a Pod's spec, and the nodeSelector.
	Spec corev1.PodSpec
}
