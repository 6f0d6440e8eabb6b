package objects

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Workload is an object from which a controller makes pods: repositories contain
// workloads where clusters have Pods. The compiler ignores workloads;
// internal/input/synth makes the pods.
type Workload struct {
	metav1.ObjectMeta
	// Kind is Deployment, StatefulSet, DaemonSet, ReplicaSet,
	// ReplicationController, Job, CronJob, or an unknown kind.
	Kind string
	// Group is the API group of the kind, "" for the core group.
	Group string
	// Opaque marks an object of an unknown kind. An operator may make pods for
	// it, with labels like its own.
	Opaque bool
	// Owner is "Kind/name" of the controlling object, or "".
	Owner string
	// Replicas is the wanted number of pods; nil is the default.
	Replicas *int32
	// Selector selects its pods; nil means by the labels of the template.
	Selector *metav1.LabelSelector
	// FirstOrdinal is the number of a StatefulSet's first pod.
	FirstOrdinal int32
	// Indexes is the number of completions of an Indexed Job; 0 for all others.
	Indexes int32
	// ManualSelector marks a Job (or the Jobs of a CronJob) whose pods get no
	// labels from the Job controller.
	ManualSelector bool
	// PodLabels are the labels of the template; for an Opaque object those of
	// its spec.template, if any.
	PodLabels map[string]string
	// Images are the names of its containers' images, in their order, init containers last;
	// only commands that ask for them have them.
	Images []string
	// Spec holds the fields of a Pod's spec that are kept, and the nodeSelector. Subdomain is
	// the serviceName of a StatefulSet.
	Spec corev1.PodSpec
}
