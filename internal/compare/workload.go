package compare

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

// workloadOf is the name that a pod shares with its replicas.
func workloadOf(name string) string {
	if at := deploymentSuffix.FindStringIndex(name); at != nil && at[0] > 0 {
		return name[:at[0]]
	}
	if at := randomSuffix.FindStringIndex(name); at != nil && at[0] > 0 && strings.ContainsAny(name[at[0]:], "2456789") {
		return name[:at[0]]
	}
	if at := ordinalSuffix.FindStringIndex(name); at != nil && at[0] > 0 {
		return name[:at[0]]
	}
	return name
}
