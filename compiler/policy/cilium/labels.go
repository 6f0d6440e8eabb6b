package cilium

import "strings"

// Sources of labels (pkg/labels/labels.go).
const (
	sourceAny      = "any" // of a selector: every source
	sourceK8s      = "k8s"
	sourceNode     = "node"
	sourceReserved = "reserved"
)

// Labels that Cilium gives to pods, in place of those that a pod has itself
// (pkg/k8s/apis/cilium.io/const.go).
const (
	prefixOwned          = "io.cilium.k8s" // Cilium's own: a pod's are removed
	prefixNamespaceLabel = "io.cilium.k8s.namespace.labels."
	labelNamespace       = "io.kubernetes.pod.namespace"
	labelServiceAccount  = "io.cilium.k8s.policy.serviceaccount"
	labelCluster         = "io.cilium.k8s.policy.cluster"
)

// Reserved labels, with empty values (pkg/labels/labels.go).
const (
	reservedHost       = "host"        // the own node
	reservedRemoteNode = "remote-node" // every other node
	reservedAPIServer  = "kube-apiserver"
	reservedWorld      = "world" // of a cluster with one family
	reservedWorldIPv4  = "world-ipv4"
	reservedWorldIPv6  = "world-ipv6"
	reservedInit       = "init"
	reservedHealth     = "health"
	reservedIngress    = "ingress"
	reservedUnmanaged  = "unmanaged"
)

// labelled has labels with sources.
type labelled interface {
	// lookup returns the value of a label; source any is every source.
	lookup(source, key string) (value string, there bool)
}

// parseKey divides a key of a selector into source and name; a key without a source has
// any (pkg/labels/labels.go, parseSource).
func parseKey(key string) (source, name string) {
	if rest, short := strings.CutPrefix(key, "$"); short {
		return sourceReserved, rest
	}
	source, name, there := strings.Cut(key, ":")
	switch {
	case !there:
		return sourceAny, key
	case source == "":
		return sourceAny, name
	}
	return source, name
}

// isOwned reports whether a label of a pod is Cilium's business.
func isOwned(key string) bool { return strings.HasPrefix(key, prefixOwned) || key == labelNamespace }
