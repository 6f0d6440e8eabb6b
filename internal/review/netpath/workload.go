package netpath

import (
	"cmp"
	"regexp"
	"strings"
)

// Suffixes of names that controllers make: for a Deployment's pods a hash of
// the template and five characters, for a DaemonSet's and a Job's five
// characters, for a StatefulSet's a number
// (k8s.io/apimachinery/pkg/util/rand has the alphabet).
var (
	deploymentSuffix = regexp.MustCompile(`-[bcdf-hj-np-tv-xz2456789]{6,10}-[bcdf-hj-np-tv-xz2456789]{5}$`)
	randomSuffix     = regexp.MustCompile(`-[bcdf-hj-np-tv-xz2456789]{5}$`)
	ordinalSuffix    = regexp.MustCompile(`-[0-9]+$`)
)

// Workload returns the common name of a pod's replicas, as far as its name and
// the labels of its controller tell.
func Workload(pod string, labels map[string]string) string {
	if at := deploymentSuffix.FindStringIndex(pod); at != nil && at[0] > 0 {
		return pod[:at[0]]
	}
	// A word may consist of the alphabet too, but rarely contains a digit.
	if at := randomSuffix.FindStringIndex(pod); at != nil && at[0] > 0 && (controlled(labels) || strings.ContainsAny(pod[at[0]:], "2456789")) {
		return pod[:at[0]]
	}
	if at := ordinalSuffix.FindStringIndex(pod); at != nil && at[0] > 0 {
		return pod[:at[0]]
	}
	return pod
}

// controlled reports whether a controller made the pod and its name.
func controlled(labels map[string]string) bool {
	return cmp.Or(labels["controller-revision-hash"], labels["pod-template-hash"], labels["batch.kubernetes.io/controller-uid"], labels["controller-uid"]) != ""
}
