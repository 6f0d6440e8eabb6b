package netpath

import (
	"regexp"
	"strings"
)

// Names that controllers make: a Deployment's pods end in the hash of their
// template and five characters, a DaemonSet's and a Job's in five, a
// StatefulSet's in a number (k8s.io/apimachinery/pkg/util/rand has the
// alphabet).
var (
	deploymentSuffix = regexp.MustCompile(`-[bcdf-hj-np-tv-xz2456789]{6,10}-[bcdf-hj-np-tv-xz2456789]{5}$`)
	randomSuffix     = regexp.MustCompile(`-[bcdf-hj-np-tv-xz2456789]{5}$`)
	ordinalSuffix    = regexp.MustCompile(`-[0-9]+$`)
)

// Workload is the name that a pod shares with its replicas, as far as its own
// name tells.
func Workload(pod string) string {
	if at := deploymentSuffix.FindStringIndex(pod); at != nil && at[0] > 0 {
		return pod[:at[0]]
	}
	// A word may have the alphabet too; one with a digit in it rarely does.
	if at := randomSuffix.FindStringIndex(pod); at != nil && at[0] > 0 && strings.ContainsAny(pod[at[0]:], "2456789") {
		return pod[:at[0]]
	}
	if at := ordinalSuffix.FindStringIndex(pod); at != nil && at[0] > 0 {
		return pod[:at[0]]
	}
	return pod
}
